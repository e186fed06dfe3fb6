"""Exotel's end of a call: its messages, the sizes that it wants, its applet's address."""

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from gateway.audio.formats import L16_8K, L16_16K, PCMU
from gateway.errors import WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.wire import Clear, Mark, Media, SimCall, StreamOpening, Violated
from gateway.sim.providers.exotel import QUIET_CLEAR, ExotelWire
from tests.sim.providers.stub_gateway import Asked, StubGateway, stub_gateway

CALL = SimCall("+918047491899", "+919876543210", "CA01", "MZ01", L16_8K)
OPENING = StreamOpening("ws://gw/stream", parameters={"key1": "value1"})
BASIC = "Basic " + base64.b64encode(b"gateway:s3cret").decode()


@pytest.fixture
def wire() -> ExotelWire:
    """A fresh stream."""
    return ExotelWire(CALL, OPENING)


def media(size: int) -> str:
    payload = base64.b64encode(bytes(size)).decode()
    return json.dumps({"event": "media", "stream_sid": "MZ01", "streamSid": "MZ01", "media": {"payload": payload}})


def test_messages_are_those_of_the_vendor_s_document(wire: ExotelWire) -> None:
    """100 ms in each media, every number a string, the stream named in all but the first."""
    assert wire.frame_ms == 100
    messages = (
        *wire.opening(),
        *wire.media(b"\x00\x01", 200),
        *wire.key("5"),
        *wire.mark_returned("g1-1", cleared=True),
        *wire.stop(),
    )
    assert [json.loads(message) for message in messages] == [
        {"event": "connected"},
        {
            "event": "start",
            "sequence_number": "1",
            "stream_sid": "MZ01",
            "start": {
                "stream_sid": "MZ01",
                "call_sid": "CA01",
                "account_sid": "exotel1",
                "from": "+919876543210",
                "to": "+918047491899",
                "custom_parameters": {"key1": "value1"},
                "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
            },
        },
        {
            "event": "media",
            "sequence_number": "2",
            "stream_sid": "MZ01",
            "media": {"chunk": "1", "timestamp": "200", "payload": "AAE="},
        },
        {"event": "dtmf", "sequence_number": "3", "stream_sid": "MZ01", "dtmf": {"digit": "5", "duration": "100"}},
        {"event": "mark", "sequence_number": "4", "stream_sid": "MZ01", "mark": {"name": "g1-1"}},
        {
            "event": "stop",
            "sequence_number": "5",
            "stream_sid": "MZ01",
            "stop": {"call_sid": "CA01", "account_sid": "exotel1", "reason": "callended"},
        },
    ]


@pytest.mark.parametrize(
    ("size", "complaint", "played"),
    [
        (3200, "", True),
        (99_840, "", True),
        (3040, "makes jitter", True),
        (3300, "leave a gap", True),
        (100_160, "times out", False),
    ],
)
def test_sizes(wire: ExotelWire, size: int, complaint: str, played: bool) -> None:
    """3,200 to 100,000 bytes in multiples of 320; what is too long is lost."""
    orders = wire.parse(media(size))
    assert [order.what for order in orders if isinstance(order, Violated)] == [
        order.what for order in orders if isinstance(order, Violated) and complaint and complaint in order.what
    ]
    assert any(isinstance(order, Violated) for order in orders) == bool(complaint)
    assert any(isinstance(order, Media) for order in orders) == played


def test_orders(wire: ExotelWire) -> None:
    """mark and clear; the stream must be named as the document names it."""
    assert wire.parse('{"event":"mark","stream_sid":"MZ01","mark":{"name":"m"}}') == (Mark("m"),)
    assert wire.parse('{"event":"clear","stream_sid":"MZ01"}') == (Clear(),)
    for message in (b"\x00", "x", '{"event":"clear","streamSid":"MZ01"}', '{"event":"clear","stream_sid":"MZ02"}'):
        with pytest.raises(WireError):
            wire.parse(message)


def test_the_first_answer_has_ten_seconds(wire: ExotelWire) -> None:
    """A later one is complained of, once."""
    wire.tick(10_020, 0)
    late, clear = wire.parse('{"event":"clear","stream_sid":"MZ01"}')
    assert isinstance(late, Violated)
    assert clear == Clear()
    assert wire.parse('{"event":"clear","stream_sid":"MZ01"}') == (Clear(),)


def test_marks_that_a_clear_overtakes() -> None:
    """They return or not: the documents do not say."""
    wire = ExotelWire(replace(CALL, quirks=frozenset({QUIET_CLEAR})), OPENING)
    assert wire.mark_returned("m", cleared=True) == ()
    assert wire.mark_returned("m", cleared=False)


async def test_a_dynamic_endpoint() -> None:
    """Asked by GET with the call's query; the stream is opened where it says, in the rate that it says."""

    def answer(stub: StubGateway, _: Asked) -> web.Response:
        return web.json_response({"url": f"{stub.stream_url}?sample-rate=16000&key1=value1"})

    async with stub_gateway(answer) as gateway:
        async with dial(
            "exotel",
            answer_url=f"{gateway.url}/answer?a=1",
            status_url=f"{gateway.url}/status",
            to="+2",
            from_="+1",
            secrets={"stream_secret": "s3cret"},
        ) as phone:
            assert phone.audio_format is L16_16K
        asked, status = gateway.asked
        assert (asked.method, asked.headers["authorization"]) == ("GET", BASIC)
        query = {"a": "1", "CallSid": phone.call_id, "CallFrom": "+1", "CallTo": "+2", "Direction": "incoming"}
        assert dict(parse_qsl(urlsplit(asked.url).query)) == query
        assert dict(parse_qsl(status.body.decode()))["Status"] == "completed"
        assert "authorization" not in gateway.streams[0].headers


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url":7}'])
async def test_an_endpoint_without_an_address(text: str) -> None:
    """The reason shows what it said."""
    async with stub_gateway(lambda _, __: web.Response(text=text)) as gateway:
        with pytest.raises(WireError, match="has no url"):
            async with dial("exotel", answer_url=f"{gateway.url}/answer"):
                pass


async def test_a_static_address() -> None:
    """Its credentials become Basic's; a rate that there is not is refused."""
    async with stub_gateway(lambda _, __: None) as gateway:
        async with dial("exotel", gateway.stream_url, secrets={"stream_secret": "s3cret"}, audio_format=PCMU) as phone:
            assert phone.audio_format is PCMU
        assert gateway.streams[0].headers["authorization"] == BASIC
        with pytest.raises(WireError, match="sample-rate"):
            async with dial("exotel", gateway.stream_url + "?sample-rate=44100"):
                pass
