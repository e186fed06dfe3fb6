"""The commands of the console.

command  ``gateway console``
trying   ``gateway try``
beside   the console that ``gateway serve`` brings, in a thread

May import everything, as all of ``gateway.cli`` may.
"""
