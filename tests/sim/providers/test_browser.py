"""The browser's simulated end: its messages, its address, against gateways that are scripted."""

import json

import pytest

from gateway.audio.formats import L16_24K
from gateway.errors import WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.wire import Clear, Digits, HangUp, Mark, Media, Order, SimCall, StreamOpening, Transfer, Violated
from gateway.sim.providers.browser import BrowserWebhook, BrowserWire
from tests.sim.scripted import Peer, scripted

CALL = SimCall("+14155550199", "+14155550100", "c-1", "", L16_24K, secrets={"stream_secret": "s3cret"})


@pytest.fixture
def wire() -> BrowserWire:
    """A fresh stream."""
    return BrowserWire(CALL, StreamOpening("ws://x"))


def test_the_messages_of_the_page(wire: BrowserWire) -> None:
    """As docs/providers/browser.md has them."""
    (start,) = wire.opening()
    assert json.loads(start)["start"]["rate_hz"] == 24000
    assert wire.media(b"ab", 0) == (b"ab",)
    assert wire.key("5") == ('{"type":"key","key":"5"}',)
    assert wire.mark_returned("m", cleared=False) == ('{"type":"played","mark":"m"}',)
    assert wire.stop() == ('{"type":"hang_up"}',)


def test_a_clear_drops_marks(wire: BrowserWire) -> None:
    """The page returns what was played, and nothing else."""
    assert wire.mark_returned("m", cleared=True) == ()


@pytest.mark.parametrize(
    ("message", "order"),
    [
        (b"\x01\x02", Media(b"\x01\x02")),
        ('{"type":"mark","mark":"g1-1"}', Mark("g1-1")),
        ('{"type":"clear"}', Clear()),
        ('{"type":"digits","digits":"12#"}', Digits("12#")),
        ('{"type":"transfer","to":"+14255550199"}', Transfer("+14255550199")),
        ('{"type":"hang_up"}', HangUp()),
    ],
)
def test_messages_to_the_page(wire: BrowserWire, message: str | bytes, order: Order) -> None:
    """Each is one order."""
    assert wire.parse(message) == (order,)


def test_a_note_is_for_people(wire: BrowserWire) -> None:
    """The phone does nothing about it."""
    assert wire.parse('{"type":"note","note":"caller_spoke","at_ms":7,"fields":{"item_id":"i"}}') == ()


@pytest.mark.parametrize("message", ["", "[]", "{}", '{"type":"stop"}', '{"type":"clear","now":true}'])
def test_what_the_page_does_not_know(wire: BrowserWire, message: str) -> None:
    """It is reported as a broken rule."""
    with pytest.raises(WireError):
        wire.parse(message)


def test_half_a_sample_is_a_broken_rule(wire: BrowserWire) -> None:
    """The rest is played."""
    lost, media = wire.parse(b"abc")
    assert isinstance(lost, Violated)
    assert media == Media(b"ab")


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("ws://gw/stream/browser", "ws://gw/stream/browser/-/s3cret"),
        ("ws://gw/stream/browser/support", "ws://gw/stream/browser/support/s3cret"),
        ("ws://gw/stream/browser/support/token", "ws://gw/stream/browser/support/token"),
    ],
)
def test_the_secret_is_the_last_part_of_the_path(url: str, opened: str) -> None:
    """Unless there is a token."""
    webhook = BrowserWebhook(CALL, None)  # type: ignore[arg-type]  # it makes no request
    assert webhook.stream(url) == StreamOpening(opened)


async def test_a_call() -> None:
    """Audio, a mark that returns when it was played, and the gateway's hang-up."""

    async def script(peer: Peer) -> None:
        await peer.next()
        await peer.send(b"\x01" * 960, '{"type":"mark","mark":"m"}')
        await peer.until('{"type":"played","mark":"m"}')
        await peer.send('{"type":"hang_up"}')

    async with scripted(script) as gateway:
        async with dial("browser", gateway.url, to="+2", from_="+1", audio_format=L16_24K) as phone:
            await phone.closed.wait()
        await gateway.peer()
    assert phone.bot_audio.count(1) == 960
    assert (phone.ended_by, phone.violations) == ("gateway", [])
