"""The log of the gateway, for people and for machines.

setup      configures structlog; keeps callers' words out
redaction  removes secrets from texts
writer     writes the lines in a thread
outlet     standard output and error, which may go away

May import what stands below ``gateway.logs`` in the layers of pyproject.toml. ``redaction`` is pure.
"""
