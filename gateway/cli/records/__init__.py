"""The commands that read and keep the records of calls.

May import everything, as all of ``gateway.cli`` may.
"""
