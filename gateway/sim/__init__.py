"""The outside world, for tests and demonstrations: simulated phones and a Voice Live emulator.

phone/        a simulated phone, over any provider's wire
providers/    each provider's end of a call
caller/       a caller who speaks, listens and presses keys
emulator/     a Voice Live service
faults/       faults on demand, of the phone and of the service
speech        makes speech without a network
prompts/      recorded speech
report/       the folder of a call, and what its page shows
abandoned     whether the peer of a connection that is not read has closed it
virtual_time  an event loop whose time jumps to the next timer
yaml_model    reads a YAML file as a typed model

A second implementation: imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``, or one mistake
would hide in both. May import what else stands below ``gateway.sim`` in the layers of pyproject.toml.
"""
