"""The commands of the console.

command  ``gateway console``
beside   the console that ``gateway serve`` brings, in a thread

May import everything, as all of ``gateway.cli`` may.
"""
