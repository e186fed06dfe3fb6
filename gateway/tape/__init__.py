"""Tapes of calls: what went over both sockets, the webhooks and the REST API, redacted as it is written.

tapes       decides which calls are taped
sockets     a WebSocket whose messages are recorded
service     Voice Live as a taped call reaches it
writer      the thread that writes, and its files
call_tape   the lines of one call
redaction   replaces what names people, opens doors or says what was said
rules       what may stand on a tape as it is
bodies      redacts HTTP messages
fakes       stable fakes of numbers, ids and texts
levels      audio as size and level
form        the form of a tape, and how it is read
wire_text   messages of a tape as a peer would send them
checking    looks for what is left on a tape
report/     what a tape shows

Nothing of it is on the audio path of a call that is not taped. May import what stands below ``gateway.tape`` in the
layers of pyproject.toml; ``gateway.app`` and the routes import ``tapes`` and ``service``, the commands the rest.
"""
