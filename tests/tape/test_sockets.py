import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.errors import OutboxFullError
from gateway.tape.sockets import TapedSocket


class Socket:
    """A socket whose messages a test brings."""

    def __init__(self, *messages: str | bytes | None) -> None:
        self.coming = list(messages)
        self.sent: list[str | bytes] = []
        self.pinged = 0
        self.closed: list[tuple[int, str]] = []
        self.close_code: int | None = None
        self.failure = ""
        self.full = False
        self.extra = "passed on"

    async def receive(self) -> str | bytes | None:
        if not self.coming:
            self.close_code = 1000
        return self.coming.pop(0) if self.coming else None

    async def hand_to(self, take: Callable[[str | bytes], bool], alive: Callable[[], None] | None = None) -> None:
        while (message := await self.receive()) is not None:
            if message == "ping":
                assert alive is not None
                alive()
            elif not take(message):
                return

    def send(self, message: str | bytes) -> None:
        if self.full:
            raise OutboxFullError("the peer does not read")
        self.sent.append(message)

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        for message in messages:
            self.send(message)

    def ping(self) -> None:
        self.pinged += 1

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed.append((code, reason))
        self.close_code = code


def keeping(took: list[str | bytes]) -> Callable[[str | bytes], bool]:
    """Takes every message."""

    def take(message: str | bytes) -> bool:
        took.append(message)
        return True

    return take


Notes = list[tuple[str, str, Any]]


def taped(socket: Socket) -> tuple[TapedSocket, Notes]:
    """A recording socket, and what it records."""
    notes: Notes = []
    return TapedSocket(socket, lambda to, kind, payload: notes.append((to, kind, payload))), notes


async def test_everything_is_passed_on_and_recorded() -> None:
    """In both directions, signs of life included."""
    socket = Socket("start", b"audio", "ping", "stop")
    recording, notes = taped(socket)
    assert await recording.receive() == "start"
    took: list[str | bytes] = []
    lives: list[None] = []
    await recording.hand_to(keeping(took), lambda: lives.append(None))
    recording.send("mark")
    recording.ping()
    assert (took, len(lives), socket.sent, socket.pinged) == ([b"audio", "stop"], 1, ["mark"], 1)
    assert notes == [
        ("in", "message", "start"),
        ("in", "message", b"audio"),
        ("in", "alive", None),
        ("in", "message", "stop"),
        ("in", "closed", {"code": 1000, "reason": "", "failure": ""}),
        ("out", "message", "mark"),
        ("out", "ping", None),
    ]


async def test_our_close_and_its_code_are_recorded_once() -> None:
    """It may be called twice."""
    socket = Socket()
    recording, notes = taped(socket)
    await recording.close(1008, "no call")
    await recording.close(1011)
    assert notes == [
        ("out", "close", {"code": 1008, "reason": "no call"}),
        ("in", "closed", {"code": 1008, "reason": "", "failure": ""}),
    ]
    assert socket.closed == [(1008, "no call"), (1011, "")]


async def test_a_taker_that_wants_no_more_ends_nothing() -> None:
    """The socket is open still."""
    recording, notes = taped(Socket("a", "b"))
    await recording.hand_to(lambda message: False)
    assert [kind for _, kind, _ in notes] == ["message"]
    assert await recording.receive() == "b"


async def test_what_could_not_be_sent_is_no_message() -> None:
    """It raises as before."""
    socket = Socket()
    socket.full = True
    recording, notes = taped(socket)
    with pytest.raises(OutboxFullError):
        recording.send(b"audio")
    assert notes == [("out", "unsent", {"error": "OutboxFullError", "size": 5})]


async def test_a_socket_of_nobodys_tape_steps_out_of_the_way() -> None:
    """What is sent then is the real socket's own method, and what comes is handed on by it."""
    socket = Socket("a")
    recording, notes = taped(socket)
    recording.stop()
    assert recording.send == socket.send
    took: list[str | bytes] = []
    await asyncio.wait_for(recording.hand_to(keeping(took)), 1)
    recording.ping()
    await recording.close()
    assert (took, notes) == (["a"], [])


def test_all_else_of_the_socket_is_reached() -> None:
    """Such as its close code, and what this class does not know."""
    socket = Socket()
    socket.failure = "broken"
    recording, _ = taped(socket)
    assert (recording.close_code, recording.failure) == (None, "broken")
    assert recording.extra == "passed on"
