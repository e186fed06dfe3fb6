"""The service behind the tools: what it reads, and what it counts."""

import socket
from collections.abc import Iterator
from contextlib import closing
from time import perf_counter

import pytest

from bench import tool_server
from bench.loop import Loop
from bench.tool_server import ANSWER, ToolServer, request_size
from bench.websocket import PeerError

REQUEST = b'POST /first HTTP/1.1\r\nHost: 127.0.0.1\r\ncontent-length: 15\r\n\r\n{"number":"42"}'
ENOUGH_S = 20.0


@pytest.fixture
def loop() -> Iterator[Loop]:
    """The load's loop."""
    with closing(Loop()) as loop:
        yield loop


@pytest.mark.parametrize("size", [0, 10, len(REQUEST) - 16, len(REQUEST) - 15, len(REQUEST) - 1])
def test_a_request_in_pieces_is_waited_for(size: int) -> None:
    """RFC 9112 §6.2: it is whole when its last byte is there."""
    assert request_size(REQUEST[:size]) == 0


def test_a_request_ends_with_its_body() -> None:
    """What comes after it is the next one's."""
    assert request_size(REQUEST + REQUEST[:20]) == len(REQUEST)


@pytest.mark.parametrize(
    "data",
    [
        REQUEST.replace(b"POST", b"GET"),
        REQUEST.replace(b"/first", b"/third"),
        REQUEST.replace(b"content-length: 15", b"transfer-encoding: chunked"),
        REQUEST.replace(b" 15", b" -15"),
        b"a" * (tool_server.LONGEST_REQUEST + 1),
    ],
)
def test_what_no_tool_sends_ends_the_bench(data: bytes) -> None:
    """Else a trial would measure something else than it says."""
    with pytest.raises(PeerError, match="request"):
        request_size(data)


def test_a_kept_connection_is_answered_once_for_each_request(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before its time is over, and as JSON."""
    monkeypatch.setattr(tool_server, "TOOL_S", 0.05)
    with (
        closing(ToolServer(loop)) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=ENOUGH_S) as client,
    ):
        for _ in range(2):
            began = perf_counter()
            server.began_at.clear()
            client.sendall(REQUEST)
            loop.run_until(began + ENOUGH_S, lambda: bool(server.began_at) and not server.open)
            assert client.recv(2 * len(ANSWER)) == ANSWER
            assert perf_counter() - began >= 0.05


def test_two_requests_are_at_work_at_once(loop: Loop) -> None:
    """It does not make the second wait for the first, and says how many there were."""
    with (
        closing(ToolServer(loop)) as server,
        socket.create_connection(("127.0.0.1", server.port)) as one,
        socket.create_connection(("127.0.0.1", server.port)) as other,
    ):
        one.sendall(REQUEST)
        other.sendall(REQUEST.replace(b"/first", b"/second").replace(b"content-length", b"Content-Length"))
        loop.run_until(perf_counter() + ENOUGH_S, lambda: len(server.began_at) == 2)
        assert server.most_at_once == 2


def test_a_client_that_has_gone_is_no_longer_answered(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that ended while its tool was at work leaves nothing open."""
    monkeypatch.setattr(tool_server, "TOOL_S", 0.05)
    with closing(ToolServer(loop)) as server:
        end = perf_counter() + ENOUGH_S
        with socket.create_connection(("127.0.0.1", server.port), timeout=ENOUGH_S) as client:
            client.sendall(REQUEST)
            loop.run_until(end, lambda: server.open == 1)
        loop.run_until(end, lambda: not server.connections)
        loop.run_until(end, lambda: not server.open)
        assert (server.open, server.connections) == (0, set())


def test_the_time_at_work_is_counted_in_the_window_alone(loop: Loop) -> None:
    """Two tools that began a second before a window of ten seconds were at work for four seconds of it each."""
    with closing(ToolServer(loop)) as server:
        server.began_at += [99.0, 99.0, 50.0, 200.0]
        assert server.at_work_s(100.0, 110.0) == 8.0
