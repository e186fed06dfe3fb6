"""The WebSockets under both legs, in two ways: fast, and on public names of libraries alone.

socket          the interface of a socket for whoever uses one
message_socket  what both ways have in common: waiting for messages, and the reason of the end
inlet           how messages reach whoever takes them
frame_writer    how messages leave by the fast socket
websocket       the fast socket: aiohttp's reader, by its private names, and a writer of its own
inbox           what stands where aiohttp's reader has its queue
upgrade         the upgrade to a fast socket, on both sides
wire            a library's WebSocket as a public socket uses it, and aiohttp's as one
public_socket   a socket on a library's own WebSocket
public_upgrade  the upgrade by aiohttp's own WebSockets, on both sides
choice          chooses the way at the start

Only ``choice`` and the fast way of ``gateway.connecting`` import ``websocket`` and ``upgrade``: their private
names may be gone. May import what stands below ``gateway.sockets`` in the layers of pyproject.toml.
"""
