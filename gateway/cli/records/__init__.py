"""The commands that read and keep the records of calls.

calls       ``gateway calls``: lists, shows and exports calls, adds up their cost
asked       the calls that a command line asks for
shown       calls on a terminal
exported    calls for other programs
explain     ``gateway explain``: says why a call went as it did
keeping     ``gateway records``: its commands
upkeep      ``gateway records migrate``, ``purge`` and ``forget``
audit       ``gateway records audit``
deliveries  ``gateway records deliveries`` and ``redeliver``
database    opens the database of the records

May import everything, as all of ``gateway.cli`` may.
"""
