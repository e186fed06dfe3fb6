"""The log of the gateway, for people and for machines.

setup      configures structlog; keeps callers' words out
redaction  removes secrets from texts
writer     writes the lines in a thread
outlet     standard output and error, which may go away

``redaction`` is pure and may import only ``gateway.text``, ``gateway.path_segment`` and ``gateway.errors``. No contract
binds the rest.
"""
