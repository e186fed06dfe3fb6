"""Traces of calls, for OpenTelemetry.

May import the notes and the record of ``gateway.call``, ``gateway.config``, and what stands below those.
"""
