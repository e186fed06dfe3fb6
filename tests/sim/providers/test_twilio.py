"""Twilio's end of a call: its messages, its signature, its webhooks."""

import base64
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.audio.formats import PCMA, PCMU
from gateway.errors import GatewayError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.continuation import Step
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Clear, Mark, Media, SimCall, StreamOpening
from gateway.sim.providers.twilio import (
    ACCOUNT_SID,
    TwilioWebhook,
    TwilioWire,
    dialled,
    incoming_call,
    parse_answer,
    provider,
    signature,
)
from tests.sim.providers.stub_gateway import cxml, stub_gateway

PARAMETERS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}


CALL = SimCall("+2", "+1", "CA" + "1" * 32, "MZ" + "2" * 32, PCMU)
OPENING = StreamOpening("ws://gw/stream", parameters={"from": "+1", "to": "+2"})


@pytest.fixture
def wire() -> TwilioWire:
    """A fresh stream."""
    return TwilioWire(CALL, OPENING)


def read(messages: Sequence[str]) -> dict[str, Any]:
    """The only message."""
    (message,) = messages
    return dict(json.loads(message))


def test_messages_are_those_of_the_vendor_s_document(wire: TwilioWire) -> None:
    """Numbers as strings, one count over all messages but the first, the stream's id twice in start."""
    sid = CALL.stream_id
    call = {"accountSid": ACCOUNT_SID, "callSid": CALL.call_id}
    connected, start = map(json.loads, wire.opening())
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            **call,
            "streamSid": sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"from": "+1", "to": "+2"},
        },
        "streamSid": sid,
    }
    assert read(wire.media(b"\xff" * 160, 20)) == {
        "event": "media",
        "sequenceNumber": "2",
        "media": {
            "track": "inbound",
            "chunk": "1",
            "timestamp": "20",
            "payload": base64.b64encode(b"\xff" * 160).decode(),
        },
        "streamSid": sid,
    }
    assert read(wire.key("#")) == {
        "event": "dtmf",
        "streamSid": sid,
        "sequenceNumber": "3",
        "dtmf": {"track": "inbound_track", "digit": "#"},
    }
    assert read(wire.mark_returned('say "x"', cleared=False)) == {
        "event": "mark",
        "sequenceNumber": "4",
        "streamSid": sid,
        "mark": {"name": 'say "x"'},
    }
    assert read(wire.media(b"", 40))["media"]["chunk"] == "2"
    assert read(wire.stop()) == {"event": "stop", "sequenceNumber": "6", "stop": call, "streamSid": sid}


def test_an_a_law_call_says_so() -> None:
    """The media format names the encoding that the frames have."""
    start = json.loads(TwilioWire(replace(CALL, audio_format=PCMA), OPENING).opening()[1])["start"]
    assert start["mediaFormat"]["encoding"] == "audio/x-alaw"


def test_identifiers_have_two_letters_and_32_hexadecimal_digits() -> None:
    """Fresh for each call."""
    assert provider.new_stream_id() != provider.new_stream_id()
    assert re.fullmatch("MZ[0-9a-f]{32}", provider.new_stream_id())
    assert re.fullmatch("CA[0-9a-f]{32}", provider.new_call_id())


def test_the_three_orders_are_understood(wire: TwilioWire) -> None:
    """media, mark and clear, and nothing more."""
    sid = CALL.stream_id
    media = wire.parse(f'{{"event":"media","streamSid":"{sid}","media":{{"payload":"AQID"}}}}')
    assert media == (Media(b"\x01\x02\x03"),)
    assert wire.parse(f'{{"event":"mark","streamSid":"{sid}","mark":{{"name":"g1-1"}}}}') == (Mark("g1-1"),)
    assert wire.parse(f'{{"event":"clear","streamSid":"{sid}"}}') == (Clear(),)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("hello", "malformed"),
        ("[]", "Expected `object`"),
        ('{"streamSid":"SID"}', "missing required field `event`"),
        ('{"event":"hangup","streamSid":"SID"}', "Invalid value 'hangup'"),
        ('{"event":"clear"}', "missing required field `streamSid`"),
        ('{"event":"clear","stream_sid":"SID"}', "unknown field `stream_sid`"),
        ('{"event":"clear","streamSid":"MZ00"}', "is not this stream's"),
        ('{"event":"clear","streamSid":"SID","at":1}', "unknown field `at`"),
        ('{"event":"mark","streamSid":"SID","mark":{}}', "missing required field `name`"),
        ('{"event":"mark","streamSid":"SID","mark":{"name":1}}', "Expected `str`"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"AQID","track":"out"}}', "unknown field `track`"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"A"}}', "base64"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"UklGRg=="}}', "begins with a file header"),
    ],
)
def test_everything_else_is_invalid(wire: TwilioWire, message: str, reason: str) -> None:
    """A wrong id, a missing or extra field, an unknown event, no JSON: the reason and the message are told."""
    with pytest.raises(WireError, match=reason):
        wire.parse(message.replace("SID", CALL.stream_id))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ],
)
def test_requests_are_signed_as_in_the_vendor_s_library(url: str, expected: str) -> None:
    """The vectors of twilio-python's own tests."""
    assert signature("12345", url, PARAMETERS) == expected


def test_the_upgrade_is_signed_over_its_url_alone() -> None:
    """A WebSocket upgrade has no form."""
    assert signature("12345", "wss://mycompany.com/media") == "okykUWKkAOgQseVjzERZh4soLeU="


def test_an_incoming_call_names_both_numbers_twice() -> None:
    """From and Caller, To and Called."""
    form = incoming_call(CALL)
    assert (form["From"], form["Caller"], form["To"], form["Called"]) == ("+1", "+1", "+2", "+2")
    assert form["CallStatus"] == "ringing"


def test_the_stream_of_an_answer_is_found() -> None:
    """Its URL loses the query, as Twilio drops it; its parameters go into start."""
    answer = parse_answer(
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://gw.example.com/stream/x?t=1">'
        '<Parameter name="from" value="+1"/><Parameter name="to" value="+2"/></Stream></Connect><Hangup/></Response>',
        "https://gw.example.com/answer/twilio",
    )
    assert answer.url == "wss://gw.example.com/stream/x"
    assert answer.parameters == {"from": "+1", "to": "+2"}
    assert answer.next_verbs == (Step("hang_up"),)


def test_a_relative_stream_url_is_of_the_same_host() -> None:
    """Over WebSocket with the same security."""
    document = '<Response><Connect><Stream url="/stream/twilio"/></Connect></Response>'
    assert parse_answer(document, "http://127.0.0.1:8080/answer/twilio").url == "ws://127.0.0.1:8080/stream/twilio"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("not XML", "is not XML"),
        ("<Response><Hangup/></Response>", "connects no stream"),
        ("<Response><Start><Stream url='wss://x/y'/></Start></Response>", "connects no stream"),
        ("<Response><Connect><Stream/></Connect></Response>", "connects no stream"),
        ("<Response><Connect><Stream url='wss://x' track='both_tracks'/></Connect></Response>", "31941"),
    ],
)
def test_an_answer_without_a_usable_stream_is_refused(document: str, reason: str) -> None:
    """The reason names the webhook and shows the document."""
    with pytest.raises(WireError, match=reason):
        parse_answer(document, "https://gw.example.com/answer/twilio")


@asynccontextmanager
async def webhook(document: str, status: int = 200) -> AsyncIterator[tuple[str, list[tuple[dict[str, str], str]]]]:
    """An answer webhook; its URL, and the form and signature of each request."""
    requests: list[tuple[dict[str, str], str]] = []

    async def answer(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        requests.append((form, request.headers.get("X-Twilio-Signature", "")))
        return web.Response(status=status, text=document, content_type="text/xml")

    app = web.Application()
    app.router.add_post("/answer/twilio", answer)
    app.router.add_post("/status/twilio", answer)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}", requests


async def call_in(base_url: str) -> tuple[TwilioWebhook, StreamOpening]:
    """A call from its webhook to its end, without the stream."""
    answer_url, status_url = f"{base_url}/answer/twilio", f"{base_url}/status/twilio"
    call = replace(CALL, secrets={"auth_token": "12345"}, answer_url=answer_url, status_url=status_url)
    async with ClientSession() as http:
        asked = TwilioWebhook(call, http)
        opening = await asked.call_in()
        await asked.ended()
    return asked, opening


TWIML = """<?xml version="1.0" encoding="UTF-8"?>
<Response><Connect><Stream url="wss://gw.example.com/stream/twilio"><Parameter name="to" value="+2"/></Stream></Connect>
<Hangup/></Response>"""


async def test_the_webhooks_are_called_as_twilio_calls_them() -> None:
    """A signed form with both numbers, and at the end the status; the answer's stream and parameters come back."""
    async with webhook(TWIML) as (base_url, requests):
        asked, opening = await call_in(base_url)
    assert opening.url == "wss://gw.example.com/stream/twilio"
    assert opening.parameters == {"to": "+2"}
    assert opening.headers == {"X-Twilio-Signature": signature("12345", opening.url)}
    assert asked.next_verbs == (Step("hang_up"),)
    (form, given), (status, _) = requests
    assert (form["To"], form["From"], form["CallSid"]) == ("+2", "+1", CALL.call_id)
    assert given == signature("12345", f"{base_url}/answer/twilio", form)
    assert status["CallStatus"] == "completed"


async def test_a_webhook_that_refuses_is_one_clear_line() -> None:
    """The status is told."""
    async with webhook("no", status=403) as (base_url, _):
        with pytest.raises(GatewayError, match="refused the call: 403 Forbidden; expected 200"):
            await call_in(base_url)


async def test_a_webhook_that_cannot_be_reached_is_one_clear_line(unused_tcp_port: int) -> None:
    """Named as the webhook."""
    with pytest.raises(GatewayError, match=r"the answer webhook http://.* cannot be reached"):
        await call_in(f"http://127.0.0.1:{unused_tcp_port}")


DIAL = {"Twiml": "<Response><Dial>+3</Dial></Response>"}


@pytest.mark.parametrize(
    ("form", "token", "status", "event"),
    [
        ({"Status": "completed"}, "12345", 200, "hang_up"),
        (DIAL, "12345", 200, "transfer"),
        ({"Twiml": "<Response/>"}, "12345", 400, None),
        ({"Twiml": f"<Response><Dial>{'3' * 4000}</Dial></Response>"}, "12345", 400, None),
        ({"Status": "completed"}, "wrong", 401, None),
    ],
)
async def test_the_call_resource(form: dict[str, str], token: str, status: int, event: str | None) -> None:
    """Hang-up and transfer end the stream; whoever is not authorised does nothing; a call that is over is not found."""
    secrets = {"account_sid": ACCOUNT_SID, "auth_token": "12345"}
    basic = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{token}".encode()).decode()
    async with SimulatedApi.serving() as api, stub_gateway(cxml()) as gateway, ClientSession() as http:
        async with dial("twilio", answer_url=f"{gateway.url}/answer", secrets=secrets, api=api) as phone:
            url = f"{api.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{phone.call_id}.json"
            assert (await http.post(url, data=form, headers={"Authorization": basic})).status == status
            if event is not None:
                await phone.closed.wait()
                assert (await http.post(url, data=form, headers={"Authorization": basic})).status == 404
        assert [order.event for order in phone.messages] == ([event] if event else [])
        assert (await http.post(url, data=form, headers={"Authorization": basic})).status == 404


async def test_a_refused_transfer_leaves_the_call_as_it_was() -> None:
    """The status is the one that the API is told to answer with; the call can still be ended."""
    secrets = {"account_sid": ACCOUNT_SID, "auth_token": "12345"}
    basic = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:12345".encode()).decode()
    async with SimulatedApi.serving() as api, stub_gateway(cxml()) as gateway, ClientSession() as http:
        api.transfer_refusal = 503
        async with dial("twilio", answer_url=f"{gateway.url}/answer", secrets=secrets, api=api) as phone:
            url = f"{api.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{phone.call_id}.json"
            assert (await http.post(url, data=DIAL, headers={"Authorization": basic})).status == 503
            assert not phone.closed.is_set()
            ended = await http.post(url, data={"Status": "completed"}, headers={"Authorization": basic})
            assert ended.status == 200
            await phone.closed.wait()
        assert [order.event for order in phone.messages] == ["hang_up"]


def test_whom_a_document_dials() -> None:
    """A number or an address; nobody where it dials nobody."""
    assert dialled("<Response><Dial>+3</Dial></Response>") == "+3"
    assert dialled("<Response><Dial><Sip>sip:a@b</Sip></Dial></Response>") == "sip:a@b"
    assert dialled("<Response><Hangup/></Response>") == dialled("no XML") == ""
