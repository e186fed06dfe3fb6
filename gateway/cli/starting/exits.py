"""The exit codes of all commands."""

FAILED = 1
"""The run of the command failed."""
WRONG_INPUT = 2
INTERRUPTED = 130
"""Ctrl-C: 128 and the number of SIGINT, as a shell has it."""
