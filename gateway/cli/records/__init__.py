"""The commands that read and keep the records of calls.

explain     ``gateway explain``: says why a call went as it did
keeping     ``gateway records``: its commands
upkeep      ``gateway records migrate``, ``purge`` and ``forget``
deliveries  ``gateway records deliveries`` and ``redeliver``
database    opens the database of the records

May import everything, as all of ``gateway.cli`` may.
"""
