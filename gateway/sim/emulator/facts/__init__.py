"""The behaviours of the emulator, each with its source and how certain it is.

reading  reads and prints ``facts.yaml``

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
