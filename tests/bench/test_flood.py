"""Somebody who sends webhooks without a signature."""

import socket
from collections.abc import Iterator
from contextlib import closing
from time import perf_counter

import pytest

from bench.flood import CONNECTIONS, UNSIGNED, WITHOUT_ROOM, Flood
from bench.listener import Listener
from bench.loop import Loop
from bench.websocket import PeerError

FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


class Gateway:
    """Answers each request with what it is told to, or not at all."""

    def __init__(self, loop: Loop, answer: bytes) -> None:
        self.requests: list[bytes] = []
        self.socks: list[socket.socket] = []
        self._loop, self._answer = loop, answer
        self.listener = Listener(loop, self._take)

    def _take(self, sock: socket.socket) -> None:
        self.socks.append(sock)
        self._loop.watch(sock, lambda _: self._read(sock))

    def _read(self, sock: socket.socket) -> None:
        data = sock.recv(65536)
        if not data:
            self._loop.forget(sock)
            return
        self.requests.append(data)
        if self._answer:
            sock.send(self._answer)

    def close(self) -> None:
        self.listener.close()
        for sock in self.socks:
            self._loop.forget(sock)
            sock.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    with closing(Loop()) as made:
        yield made


def test_requests_are_sent_and_their_refusals_counted(loop: Loop) -> None:
    """Whole, over connections that are kept."""
    with closing(Gateway(loop, FORBIDDEN)) as gateway, closing(Flood(loop, gateway.listener.port, 1000)) as flood:
        loop.run_until(perf_counter() + 10, lambda: flood.refused >= 2 * CONNECTIONS)
        assert flood.refused >= 2 * CONNECTIONS
        assert gateway.requests[0] == UNSIGNED.request(1)
        assert len(set(gateway.requests)) == len(gateway.requests), "each is a call of its own"
        assert len(gateway.socks) == CONNECTIONS


def test_what_waits_is_not_sent_again(loop: Loop) -> None:
    """A program that answers nothing gets one request on each connection; the rest is counted."""
    with closing(Gateway(loop, b"")) as gateway, closing(Flood(loop, gateway.listener.port, 10_000)) as flood:
        loop.run_until(perf_counter() + 10, lambda: flood.left_out >= 10)
        assert (flood.sent, flood.refused) == (CONNECTIONS, 0)


def test_another_answer_is_told(loop: Loop) -> None:
    """A gateway that does not refuse measures something else."""
    with (
        closing(Gateway(loop, b"HTTP/1.1 200 OK\r\n\r\n")) as gateway,
        closing(Flood(loop, gateway.listener.port, 1000)),
        pytest.raises(PeerError, match="not refused"),
    ):
        loop.run_until(perf_counter() + 10)


def test_a_call_without_room_is_answered(loop: Loop) -> None:
    """By a document that rejects it; a gateway that takes it measures something else."""
    rejected = b'HTTP/1.1 200 OK\r\n\r\n<Response><Reject reason="busy"/></Response>'
    with (
        closing(Gateway(loop, rejected)) as gateway,
        closing(Flood(loop, gateway.listener.port, 1000, WITHOUT_ROOM)) as flood,
    ):
        loop.run_until(perf_counter() + 10, lambda: flood.refused >= CONNECTIONS)
        assert flood.refused >= CONNECTIONS
    with (
        closing(Gateway(loop, b"HTTP/1.1 200 OK\r\n\r\n<Response><Connect/></Response>")) as gateway,
        closing(Flood(loop, gateway.listener.port, 1000, WITHOUT_ROOM)),
        pytest.raises(PeerError, match="not refused"),
    ):
        loop.run_until(perf_counter() + 10)
