"""The notes of calls: in the log, and on the page that carries a stream.

call_log     writes the notes of calls to the log; makes the last one
shown_notes  sends the notes of a call to the page that carries its stream

May import what ``gateway.routes`` may import.
"""
