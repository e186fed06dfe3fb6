"""The caller's side of an emulated session.

turns  the input buffer and what becomes of a turn
ear    voice activity: when the caller starts and stops to speak
floor  at most one response at a time

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
