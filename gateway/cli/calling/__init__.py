"""Simulated calls for ``gateway call``, ``gateway demo`` and ``gateway serve --emulator``.

placing        one call, from its first ring to its folder and exit code
own_gateway    a gateway for one call
loopback       what ``gateway serve --emulator`` adds on this machine
emulator_command  ``gateway emulator``
emulated       the emulator that a command runs until it is stopped
fault_options  the options of faults
faults         the faults of a call, and what is kept of them
caller_words   the words of the recordings that are played
narrator       prints the call as it happens
spoken         when the words of a call were spoken
verdict        whether the call went well, and every complaint
refusals       why a gateway elsewhere refused a call

May import every package.
"""
