"""What aiohttp's reader hands over: to whoever takes messages, or to be kept."""

import asyncio
from typing import Any

import pytest
from aiohttp import WebSocketError, WSMsgType
from aiohttp.base_protocol import BaseProtocol

from gateway.sockets.inbox import Inbox


class Told:
    """An inbox, and what it told of."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []
        names = ("kept", "let go", "controlled", "failed", "lost")
        calls = [lambda *given, name=name: self.said.append((name, *given)) for name in names]
        self.inbox = Inbox(BaseProtocol(asyncio.get_running_loop()), *calls)


def message(kind: WSMsgType, data: Any, extra: str | None = None) -> Any:
    """What the reader feeds."""
    return (kind, data, extra)


async def test_messages_are_kept_until_somebody_takes_them() -> None:
    """And passed on from then on, texts and bytes alike."""
    told, taken = Told(), list[str | bytes]()

    def take(one: str | bytes) -> bool:
        taken.append(one)
        return True

    told.inbox.feed_data(message(WSMsgType.TEXT, "early"), 5)
    told.inbox.take = take
    told.inbox.feed_data(message(WSMsgType.BINARY, b"late"), 4)
    assert told.said == [("kept", "early")]
    assert taken == [b"late"]


async def test_one_who_wants_no_more_is_let_go() -> None:
    """By what ``take`` returns; the next message is kept."""
    told = Told()
    told.inbox.take = lambda _: False
    told.inbox.alive = lambda: None
    told.inbox.deliver("last")
    told.inbox.deliver("after")
    assert told.said == [("let go", None), ("kept", "after")]
    assert told.inbox.alive is None


async def test_what_is_raised_while_taking_is_passed_on() -> None:
    """And not raised in the transport, whose callback this is; so it is for signs of life."""
    told, broken = Told(), ZeroDivisionError()

    def fail(*_: object) -> bool:
        raise broken

    told.inbox.take = fail
    told.inbox.deliver("one")
    told.inbox.alive = fail
    told.inbox.feed_data(message(WSMsgType.PONG, b""), 0)
    assert told.said == [("let go", broken), ("controlled", WSMsgType.PONG, b"", 0), ("let go", broken)]


async def test_frames_of_control_are_told_of() -> None:
    """A close by its code and reason, a ping by its payload; a sign of life is a sign even so."""
    told, signs = Told(), list[None]()
    told.inbox.alive = lambda: signs.append(None)
    told.inbox.feed_data(message(WSMsgType.PING, bytearray(b"?")), 1)
    told.inbox.feed_data(message(WSMsgType.CLOSE, 4001, "enough"), 8)
    assert told.said == [("controlled", WSMsgType.PING, b"?", 0), ("controlled", WSMsgType.CLOSE, b"enough", 4001)]
    assert signs == [None]


async def test_the_end_is_told_of() -> None:
    """A broken rule of the framing is a failure; any other exception is a bug, and raised."""
    told, rule = Told(), WebSocketError(1002, "a rule")
    told.inbox.set_exception(rule)
    told.inbox.feed_eof()
    assert told.said == [("failed", rule), ("lost",)]
    with pytest.raises(ZeroDivisionError):
        told.inbox.set_exception(ZeroDivisionError())
