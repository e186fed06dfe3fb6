"""The commands that read and keep the records of calls.

explain  ``gateway explain``: says why a call went as it did

May import everything, as all of ``gateway.cli`` may.
"""
