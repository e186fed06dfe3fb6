"""SignalWire's end of a call: its messages, its webhooks, its Call resource."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest

from gateway.audio.formats import L16_24K, PCMU
from gateway.errors import WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Clear, Digits, Mark, Media, SimCall, StreamOpening
from gateway.sim.providers.signalwire import SignalWireWire
from gateway.sim.providers.twilio import signature
from tests.sim.providers.stub_gateway import cxml, stub_gateway

CALL = SimCall("+2", "+1", "b1e2c3d4", "7d56a1b2", PCMU, {"project_id": "p-1"})
SECRETS = {"project_id": "p-1", "api_token": "PT1", "signing_key": "12345", "stream_secret": "s3cret"}


@pytest.fixture
def wire() -> SignalWireWire:
    """A fresh stream."""
    return SignalWireWire(CALL, StreamOpening("ws://gw/stream"))


def test_messages_are_those_of_the_vendor_s_document(wire: SignalWireWire) -> None:
    """The stream is named inside start, in dtmf and in mark; mark has no number; no parameters where there are none."""
    messages = (
        *wire.opening(),
        *wire.media(b"\xff" * 3, 20),
        *wire.key("A"),
        *wire.mark_returned("g1-1", cleared=True),
        *wire.stop(),
    )
    assert [json.loads(message) for message in messages] == [
        {"event": "connected", "protocol": "Call", "version": "0.2.0"},
        {
            "event": "start",
            "sequenceNumber": "1",
            "start": {
                "streamSid": "7d56a1b2",
                "accountSid": "p-1",
                "callSid": "b1e2c3d4",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        },
        {
            "event": "media",
            "sequenceNumber": "2",
            "media": {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "////"},
        },
        {"event": "dtmf", "sequenceNumber": "3", "streamSid": "7d56a1b2", "dtmf": {"digit": "A", "duration": 200}},
        {"event": "mark", "streamSid": "7d56a1b2", "mark": {"name": "g1-1"}},
        {"event": "stop", "sequenceNumber": "4"},
    ]


def test_orders(wire: SignalWireWire) -> None:
    """media, mark, clear, and digits of its own."""

    def order(**message: object) -> Any:
        return wire.parse(json.dumps({"streamSid": "7d56a1b2", **message}))

    assert order(event="media", media={"payload": "AQI="}) == (Media(b"\x01\x02"),)
    assert order(event="mark", mark={"name": "m"}) == (Mark("m"),)
    assert order(event="clear") == (Clear(),)
    assert order(event="dtmf", dtmf={"digit": "5"}) == (Digits("5"),)


@pytest.mark.parametrize(
    "message",
    [
        b"\x00",
        "x",
        '{"event":"clear"}',
        '{"event":"clear","streamSid":"other"}',
        '{"event":"clear","streamSid":"7d56a1b2","x":1}',
        '{"event":"media","streamSid":"7d56a1b2","media":{"payload":"*"}}',
    ],
)
def test_messages_that_are_ignored(wire: SignalWireWire, message: str | bytes) -> None:
    """The reason is told."""
    with pytest.raises(WireError):
        wire.parse(message)


async def test_a_call_from_the_webhook_to_the_status_callback() -> None:
    """Signed forms, the document's codec, bearer and parameters, and the status in the end."""
    attributes = 'codec="L16@24000h" authBearerToken="tok"'
    async with stub_gateway(cxml(attributes, '<Parameter name="from" value="+1"/>')) as gateway:
        async with dial(
            "signalwire",
            answer_url=f"{gateway.url}/answer",
            status_url=f"{gateway.url}/status",
            to="+2",
            from_="+1",
            secrets=SECRETS,
        ) as phone:
            assert phone.audio_format is phone.bot_format is L16_24K
        answer, status = gateway.asked
        form = dict(parse_qsl(answer.body.decode()))
        assert (form["From"], form["To"], form["CallSid"], form["AccountSid"]) == ("+1", "+2", phone.call_id, "p-1")
        assert answer.headers["x-signalwire-signature"] == signature("12345", f"{gateway.url}/answer", form)
        assert dict(parse_qsl(status.body.decode()))["CallStatus"] == "completed"
        assert gateway.streams[0].headers["authorization"] == "Bearer tok"


async def test_a_codec_that_there_is_not() -> None:
    """It is refused as the vendor refuses it."""
    async with stub_gateway(cxml('codec="G722"')) as gateway:
        with pytest.raises(WireError, match="codec_error"):
            async with dial("signalwire", answer_url=f"{gateway.url}/answer"):
                pass


async def test_a_static_stream_brings_its_secret() -> None:
    """As ``authBearerToken`` of a document of one's own."""
    async with stub_gateway(cxml()) as gateway:
        async with dial("signalwire", gateway.stream_url, secrets=SECRETS):
            pass
        assert gateway.streams[0].headers["authorization"] == "Bearer s3cret"
        assert gateway.asked == []


@pytest.mark.parametrize(
    ("form", "token", "status", "event"),
    [
        ({"Status": "completed"}, "PT1", 200, "hang_up"),
        ({"Twiml": "<Response><Dial>+3</Dial></Response>"}, "PT1", 200, "transfer"),
        ({"Twiml": "<Response/>"}, "PT1", 400, None),
        ({"Status": "completed"}, "wrong", 401, None),
    ],
)
async def test_the_call_resource(form: dict[str, str], token: str, status: int, event: str | None) -> None:
    """Hang-up and transfer end the stream; whoever is not authorised does nothing."""
    async with SimulatedApi.serving() as api, stub_gateway(cxml()) as gateway, aiohttp.ClientSession() as http:
        async with dial("signalwire", answer_url=f"{gateway.url}/answer", secrets=SECRETS, api=api) as phone:
            url = f"{api.url}/api/laml/2010-04-01/Accounts/p-1/Calls/{phone.call_id}.json"
            basic = "Basic " + base64.b64encode(f"p-1:{token}".encode()).decode()
            async with http.post(url, data=form, headers={"Authorization": basic}) as response:
                assert response.status == status
            if event is not None:
                await phone.closed.wait()
                async with http.post(url, data=form, headers={"Authorization": basic}) as response:
                    assert response.status == 404
        assert [order.event for order in phone.messages] == ([event] if event else [])
