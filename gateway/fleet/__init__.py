"""The memory that the workers of one gateway share: the places for calls, what was used once, and signs of life.

board     the shared memory as a whole
memory    memory with a lock, shared by processes
places    the places for calls: reserved, taken, freed
used      the keys that may be used only once
rates     the counts of events in a minute or an hour
sessions  the sessions at each Voice Live endpoint
ends      the ends of calls

May import what stands below ``gateway.fleet`` in the layers of pyproject.toml.
"""
