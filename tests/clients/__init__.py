"""Clients of Voice Live that others wrote, run against the emulator: they do what they do with the service.

``python -m tests.clients [NAME …]`` (``make clients``) installs each in an environment of its own, in the user's cache,
from the package registries, runs it, and prints a row for each; ``--write`` puts the rows into docs/emulator.md.
Nothing of a client is kept in this project. No part of ``make test``: the registries are needed, and minutes.

environments   virtual environments and folders of npm, by name
conversations  a program beside the emulator, judged by what both ends met
programs/      a conversation by each client
table          the rows, and where they stand in docs/emulator.md
voicelive_sdk/ the live tests of the official Python SDK, from its source distribution
__main__       the command
"""
