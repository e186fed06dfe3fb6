"""The operator's service behind two tools: takes a POST, and answers it five seconds later.

RFC 9112, as far as a client of ours goes: a body with Content-Length, connections that are kept.
"""

import socket
from time import perf_counter

from bench.listener import Listener
from bench.loop import Loop
from bench.websocket import READ_BYTES, PeerError

TOOLS = ("first", "second")
"""The name of each tool; its request is ``POST /`` and the name."""
TOOL_S = 5.0
DONE = b'{"state":"done"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(DONE), DONE)
MOST_CONNECTIONS = 64
LONGEST_REQUEST = 65536
_TARGETS = {f"/{name}".encode() for name in TOOLS}


class ToolServer:
    """A server on a free port of 127.0.0.1; ``port`` is its number. Times are ``perf_counter`` seconds."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.began_at: list[float] = []
        """The time at which each request was read whole."""
        self.open = 0
        self.most_at_once = 0
        self.connections: set[Connection] = set()
        self._listener = Listener(loop, self._take)
        self.port = self._listener.port

    def _take(self, sock: socket.socket) -> None:
        connection = Connection(self, sock)
        self.connections.add(connection)
        self.loop.watch(sock, connection.ready)
        if len(self.connections) > MOST_CONNECTIONS:
            raise PeerError(f"more than {MOST_CONNECTIONS} connections to the tools")

    def begin(self) -> None:
        """Note that a request has begun."""
        self.began_at.append(perf_counter())
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)

    def at_work_s(self, start: float, end: float) -> float:
        """Return the seconds that tools were at work between two times; two at once count twice."""
        return sum(max(0.0, min(end, began + TOOL_S) - max(start, began)) for began in self.began_at)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._listener.close()
        for connection in list(self.connections):
            connection.end()


class Connection:
    """A client's connection; its requests are answered in their order, as each takes the same time."""

    def __init__(self, server: ToolServer, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self._rest = b""

    def ready(self, _mask: int) -> None:
        """Read from the socket; the loop calls this when there is something."""
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end()
            return
        self._rest += data
        while size := request_size(self._rest):
            self._rest = self._rest[size:]
            self.server.begin()
            self.server.loop.at(perf_counter() + TOOL_S, self._answer)

    def _answer(self, _due: float) -> None:
        self.server.open -= 1
        if self not in self.server.connections:
            return
        try:
            taken = self.sock.send(ANSWER)
        except OSError:
            self.end()
            return
        if taken < len(ANSWER):
            raise PeerError("a client that does not read the answers of its tools")

    def end(self) -> None:
        """Drop the client's connection."""
        if self in self.server.connections:
            self.server.connections.remove(self)
            self.server.loop.forget(self.sock)
            self.sock.close()


def request_size(data: bytes) -> int:
    """Return the size of the first request in ``data``, 0 while it is incomplete. PeerError if it is no tool's."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if len(data) > LONGEST_REQUEST:
        raise PeerError(f"a request of more than {LONGEST_REQUEST} bytes to a tool")
    if not end:
        return 0
    request, *fields = head.split(b"\r\n")
    method, _, rest = request.partition(b" ")
    if method != b"POST" or rest.partition(b" ")[0] not in _TARGETS:
        raise PeerError(f"a request that is no tool's: {request.decode(errors='replace')}")
    for line in fields:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            size = len(head) + len(end) + int(value)
            return size if len(data) >= size else 0
    raise PeerError(f"a request without Content-Length: {request.decode(errors='replace')}")
