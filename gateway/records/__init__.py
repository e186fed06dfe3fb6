"""The remains of a call: record, recording, cost, explanation, and their delivery.

May import the notes and the record of ``gateway.call``, ``gateway.config``, and what stands below those.
"""
