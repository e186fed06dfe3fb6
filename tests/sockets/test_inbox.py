"""The messages, control frames and the end that aiohttp's reader hands over."""

import asyncio
from typing import Any

import pytest
from aiohttp import WebSocketError, WSMsgType
from aiohttp.base_protocol import BaseProtocol

from gateway.sockets.inbox import Inbox


class Told:
    """An inbox, and what it passed on."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []
        names = ("message", "life", "controlled", "failed", "lost")
        calls = [lambda *given, name=name: self.said.append((name, *given)) for name in names]
        self.inbox = Inbox(BaseProtocol(asyncio.get_running_loop()), *calls)


def fed(kind: WSMsgType, data: Any, extra: str | None = None) -> Any:
    """A message as the reader feeds it."""
    return (kind, data, extra)


async def test_messages_are_passed_on() -> None:
    """Texts and bytes alike."""
    told = Told()
    told.inbox.feed_data(fed(WSMsgType.TEXT, "early"), 5)
    told.inbox.feed_data(fed(WSMsgType.BINARY, b"late"), 4)
    assert told.said == [("message", "early"), ("message", b"late")]


@pytest.mark.parametrize("kind", [WSMsgType.PING, WSMsgType.PONG])
async def test_pings_and_pongs_are_signs_of_life(kind: WSMsgType) -> None:
    """With their payload, of which the reader keeps the buffer."""
    told = Told()
    told.inbox.feed_data(fed(kind, bytearray(b"?")), 1)
    assert told.said == [("controlled", kind, b"?", 0), ("life",)]


async def test_a_close_comes_with_its_code_and_reason() -> None:
    """And is no sign of life."""
    told = Told()
    told.inbox.feed_data(fed(WSMsgType.CLOSE, 4001, "genug f\xfcr heute"), 8)
    told.inbox.feed_data(fed(WSMsgType.CLOSE, 0), 0)
    reason = "genug f\xfcr heute".encode()
    assert told.said == [("controlled", WSMsgType.CLOSE, reason, 4001), ("controlled", WSMsgType.CLOSE, b"", 0)]


async def test_a_broken_rule_is_a_failure() -> None:
    """Of the framing; any other exception is a bug, and raised."""
    told, rule = Told(), WebSocketError(1002, "a rule")
    told.inbox.set_exception(rule)
    told.inbox.feed_eof()
    assert told.said == [("failed", rule), ("lost",)]
    with pytest.raises(ZeroDivisionError):
        told.inbox.set_exception(ZeroDivisionError())
