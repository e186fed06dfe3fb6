"""Plivo's end of a call: its messages, its signatures, its webhooks and REST API."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.audio.formats import L16_8K, L16_16K, PCMU, AudioFormat
from gateway.errors import GatewayError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.continuation import Step
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Clear, Digits, Mark, Media, SimCall, StreamOpening
from gateway.sim.providers._plivo_dialect import parse_dial, parse_document
from gateway.sim.providers.plivo import NUMBERS_AS_TEXT, PlivoWebhook, PlivoWire, signature_v3

CALL = SimCall("+14155550199", "+14155550100", "b77af520", "20170ece", PCMU, {"auth_id": "MA01"})
OPENING = StreamOpening("ws://gw/stream", parameters={"extra_headers": "userId=12345,sessionId=abc"})
SECRETS = {"auth_id": "MA01", "auth_token": "my_auth_token"}


@pytest.fixture
def wire() -> PlivoWire:
    """A fresh stream."""
    return PlivoWire(CALL, OPENING)


def test_messages_are_those_of_the_vendor_s_document(wire: PlivoWire) -> None:
    """One count over all messages, start first, no numbers of the call, no message at the end."""
    headers = "userId=12345;sessionId=abc"
    messages = (
        *wire.opening(),
        *wire.media(b"\xff" * 160, 20),
        *wire.key("5"),
        *wire.mark_returned("g1-1", cleared=False),
        *wire.cleared(),
    )
    assert [json.loads(message) for message in messages] == [
        {
            "event": "start",
            "sequenceNumber": 1,
            "start": {
                "callId": "b77af520",
                "streamId": "20170ece",
                "accountId": "MA01",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
            },
            "extra_headers": headers,
        },
        {
            "event": "media",
            "sequenceNumber": 2,
            "streamId": "20170ece",
            "media": {
                "track": "inbound",
                "timestamp": "20",
                "chunk": 1,
                "payload": base64.b64encode(b"\xff" * 160).decode(),
            },
            "extra_headers": headers,
        },
        {
            "event": "dtmf",
            "sequenceNumber": 3,
            "streamId": "20170ece",
            "dtmf": {"track": "inbound", "digit": "5", "timestamp": "20"},
            "extra_headers": headers,
        },
        {"event": "playedStream", "sequenceNumber": 4, "streamId": "20170ece", "name": "g1-1"},
        {"event": "clearedAudio", "sequenceNumber": 5, "streamId": "20170ece"},
    ]
    assert wire.stop() == ()


def test_a_cleared_checkpoint_is_never_confirmed(wire: PlivoWire) -> None:
    """Only what was played comes back."""
    assert wire.mark_returned("g1-1", cleared=True) == ()


def test_a_number_may_be_a_text() -> None:
    """As the SDK notes of playedStream."""
    wire = PlivoWire(replace(CALL, quirks=frozenset({NUMBERS_AS_TEXT})), OPENING)
    (message,) = wire.mark_returned("m", cleared=False)
    assert json.loads(message)["sequenceNumber"] == "1"


def test_the_orders_are_understood(wire: PlivoWire) -> None:
    """playAudio in the stream's format, checkpoint, clearAudio and sendDTMF."""
    play = '{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":%s,"payload":"AQID"}}'
    assert wire.parse(play % "8000") == wire.parse(play % '"8000"') == (Media(b"\x01\x02\x03"),)
    assert wire.parse('{"event":"checkpoint","streamId":"20170ece","name":"m"}') == (Mark("m"),)
    assert wire.parse('{"event":"clearAudio","streamId":"20170ece"}') == (Clear(),)
    assert wire.parse('{"event":"sendDTMF","dtmf":"1234#"}') == (Digits("1234#"),)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x00", "binary"),
        ("hello", "malformed"),
        ('{"event":"stop","streamId":"20170ece"}', "Invalid value 'stop'"),
        ('{"event":"checkpoint","streamId":"other","name":"m"}', "is not this stream's"),
        ('{"event":"clearAudio"}', "missing required field `streamId`"),
        ('{"event":"clearAudio","streamId":"20170ece","at":1}', "unknown field `at`"),
        ('{"event":"sendDTMF","dtmf":"x"}', "expected keys"),
        (
            '{"event":"playAudio","media":{"contentType":"audio/x-l16","sampleRate":8000,"payload":"AQID"}}',
            "on a stream of pcmu/8000",
        ),
        (
            '{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"UklGRg=="}}',
            "file header",
        ),
    ],
)
def test_everything_else_is_invalid(wire: PlivoWire, message: str | bytes, reason: str) -> None:
    """The reason is told: another stream, another format, a member too few or too many."""
    with pytest.raises(WireError, match=reason):
        wire.parse(message)


FORM = {
    "CallUUID": "97ceeb52-58b6-11e1-86da-77300b68f8bb",
    "From": "14155550100",
    "To": "14155550199",
    "Direction": "inbound",
    "CallStatus": "ringing",
    "Event": "StartApp",
}


@pytest.mark.parametrize(
    ("method", "url", "form", "expected"),
    [
        ("POST", "https://answer.url/in", FORM, "T+AvAPsUkb/gyJu6Nl3f8xuOcD0Nugpvs55/irVp/CY="),
        ("POST", "https://answer.url/in?b=2&a=1", FORM, "hjTNKKK0ypzzEVR/FC9d0F2lSKoTzqjKWTmcS9bhSYY="),
        ("POST", "https://answer.url/in?b=2&a=1", {}, "hsfB39OyjO5EfUxM0zBVepeKRYYlWzKNsfamjNALLIw="),
        (
            "GET",
            "https://answer.url/in?b=2&a=1",
            {"CallUUID": "x", "From": "14155550100"},
            "E7chxEzcqcdBAbOE1l4cO5oCfMZXm5oAGdR3/8bXn6M=",
        ),
        ("GET", "https://answer.url/in", {}, "UhdB1nsRtprDhSSrjsuP14eXK9wSAI9izVivpVparwg="),
        ("GET", "http://answer.url/stream/websocket", {}, "kTmcBui3k+rtmT2uaedQw4dQx/pgQbgZg7EfzQvjMuA="),
    ],
)
def test_requests_are_signed_as_the_vendor_s_library_checks_them(
    method: str, url: str, form: dict[str, str], expected: str
) -> None:
    """Vectors on which plivo-python agrees."""
    assert signature_v3("my_auth_token", method, url, form, "12345") == expected


def document(stream: str = "", url: str = "wss://gw.example.com/stream/plivo/t", behind: str = "<Hangup/>") -> str:
    """An answer; ``stream`` are attributes more."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Stream bidirectional="true" keepCallAlive="true"'
        f' contentType="audio/x-mulaw;rate=8000" {stream}>{url}</Stream>{behind}</Response>'
    )


def test_the_stream_of_an_answer_is_found() -> None:
    """With its format, whom to tell of it, and what runs when it has closed."""
    read = parse_document(
        document('statusCallbackUrl="https://gw/status" extraHeaders="a=1"', behind="<Speak>x</Speak>")
    )
    assert (read.url, read.audio_format) == ("wss://gw.example.com/stream/plivo/t", PCMU)
    assert (read.callback_url, read.extra_headers, read.next_verbs) == ("https://gw/status", "a=1", (Step("say", "x"),))


@pytest.mark.parametrize(
    ("content_type", "audio_format"),
    [(' contentType="audio/x-l16;rate=16000"', L16_16K), ("", L16_8K)],
)
def test_the_answer_chooses_the_format(content_type: str, audio_format: AudioFormat) -> None:
    """Linear at 8 kHz, where it does not."""
    read = parse_document(document().replace(' contentType="audio/x-mulaw;rate=8000"', content_type))
    assert read.audio_format is audio_format


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not XML", "is not XML"),
        ("<Html/>", "no <Response>"),
        ("<Response><Hangup/></Response>", "connects no stream"),
        (document(url="https://x"), "connects no stream"),
        (document().replace('bidirectional="true"', ""), "not bidirectional"),
        (document().replace('keepCallAlive="true"', ""), "without keepCallAlive"),
        (document('audioTrack="both"'), "cannot be had with bidirectional"),
        (document().replace("mulaw", "opus"), "contentType 'audio/x-opus;rate=8000'"),
        (document(f'extraHeaders="a={"1" * 512}"'), "514 bytes"),
    ],
)
def test_an_answer_without_a_usable_stream_is_refused(text: str, reason: str) -> None:
    """The reason is told."""
    with pytest.raises(WireError, match=reason):
        parse_document(text)


def test_a_transfer_s_document_names_whom_to_dial() -> None:
    """A number or a user."""
    assert parse_dial("<Response><Dial><Number>15551230000</Number></Dial></Response>") == "15551230000"
    assert parse_dial("<Response><Dial><User>sip:a@b</User></Dial></Response>") == "sip:a@b"
    with pytest.raises(WireError, match="dials nobody"):
        parse_dial("<Response><Hangup/></Response>")


class Gateway:
    """A stand-in: answers its webhook, takes the stream, keeps what came."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.upgrade: dict[str, str] = {}
        self.url = ""
        self.answers: dict[str, str] = {}

    async def webhook(self, request: web.Request) -> web.Response:
        """Any POST."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append((request.path_qs, form, {name.lower(): value for name, value in request.headers.items()}))
        return web.Response(text=self.answers.get(request.path, ""), content_type="text/xml")

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """The stream, until the phone closes it."""
        self.upgrade = {name.lower(): value for name, value in request.headers.items()}
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """It, served."""
    serving = Gateway()
    app = web.Application()
    app.router.add_post("/{path:(answer|status).*}", serving.webhook)
    app.router.add_get("/stream/{path:.*}", serving.stream)
    async with TestServer(app) as server:
        serving.url = f"http://127.0.0.1:{server.port}"
        stream = f"ws://127.0.0.1:{server.port}/stream/plivo/t"
        callback = f'statusCallbackUrl="{serving.url}/status/stream"'
        serving.answers = {
            "/answer/plivo": document(callback, stream),
            "/answer/transfer": "<Response><Dial><Number>15551230000</Number></Dial></Response>",
        }
        yield serving


def called(serving: Gateway, api: SimulatedApi | None = None) -> Any:
    """A call from its webhook to its end."""
    return dial(
        "plivo",
        answer_url=f"{serving.url}/answer/plivo",
        status_url=f"{serving.url}/status/plivo",
        to="+14155550199",
        from_="+14155550100",
        secrets=SECRETS,
        call_id="b77af520",
        api=api,
    )


async def test_the_webhooks_are_called_as_plivo_calls_them() -> None:
    """The answer first, then the stream with its own signature; at the end the stream's callback and the call's."""
    async with gateway() as serving, called(serving) as phone:
        assert phone.audio_format is PCMU
    assert [(path, form["Event"], form["CallStatus"]) for path, form, _ in serving.requests] == [
        ("/answer/plivo", "StartApp", "ringing"),
        ("/status/stream", "StopStream", "in-progress"),
        ("/status/plivo", "Hangup", "completed"),
    ]
    for path, form, headers in serving.requests:
        assert (form["CallUUID"], form["From"], form["To"]) == ("b77af520", "14155550100", "14155550199")
        nonce = headers["x-plivo-signature-v3-nonce"]
        assert headers["x-plivo-signature-v3"] == signature_v3("my_auth_token", "POST", serving.url + path, form, nonce)
    signed = serving.url + "/stream/plivo/t/websocket"
    nonce = serving.upgrade["x-plivo-signature-v3-nonce"]
    assert serving.upgrade["x-plivo-signature-v3"] == signature_v3("my_auth_token", "GET", signed, {}, nonce)


PATH = "/v1/Account/MA01/Call/b77af520/"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"MA01:my_auth_token").decode()}


async def test_the_rest_api_ends_the_call() -> None:
    """With the account's credentials, once; afterwards there is no such call."""
    async with gateway() as serving, SimulatedApi.serving() as api, ClientSession() as http:
        async with called(serving, api) as phone:
            assert (await http.delete(api.url + PATH)).status == 401
            assert (await http.delete(api.url + PATH, headers=BASIC)).status == 204
            await phone.closed.wait()
            assert (phone.ended_by, phone.end_reason) == ("gateway", "the gateway hung up")
            assert (await http.delete(api.url + PATH, headers=BASIC)).status == 404
        assert (await http.delete(api.url + PATH, headers=BASIC)).status == 404


async def test_a_transfer_asks_whom_to_dial() -> None:
    """At the URL that the request names, signed as every webhook."""
    async with gateway() as serving, SimulatedApi.serving() as api, ClientSession() as http:
        async with called(serving, api) as phone:
            body = {"legs": "aleg", "aleg_url": f"{serving.url}/answer/transfer?transfer=1", "aleg_method": "POST"}
            assert (await http.post(api.url + PATH, json={"legs": "bleg"}, headers=BASIC)).status == 400
            assert (await http.post(api.url + PATH, json=body)).status == 401
            assert (await http.post(api.url + PATH, json=body, headers=BASIC)).status == 202
            await phone.closed.wait()
        assert [message.name for message in phone.messages if message.event == "transfer"] == ["15551230000"]
    assert serving.requests[1][0] == "/answer/transfer?transfer=1"


async def test_a_refused_transfer_asks_nobody() -> None:
    """The document is not fetched, and the call goes on."""
    async with gateway() as serving, SimulatedApi.serving() as api, ClientSession() as http:
        api.transfer_refusal = 500
        async with called(serving, api) as phone:
            body = {"legs": "aleg", "aleg_url": f"{serving.url}/answer/transfer?transfer=1", "aleg_method": "POST"}
            assert (await http.post(api.url + PATH, json=body, headers=BASIC)).status == 500
            assert not phone.closed.is_set()
    assert "/answer/transfer?transfer=1" not in [path for path, *_ in serving.requests]


async def test_a_transfer_that_dials_nobody_is_told() -> None:
    """The caller would hear nothing more."""
    async with (
        gateway() as serving,
        SimulatedApi.serving() as api,
        called(serving, api) as phone,
        ClientSession() as http,
    ):
        body = {"legs": "aleg", "aleg_url": f"{serving.url}/answer/plivo", "aleg_method": "POST"}
        assert (await http.post(api.url + PATH, json=body, headers=BASIC)).status == 202
        assert [violation.what for violation in phone.violations if "dials nobody" in violation.what]


async def test_an_answer_that_is_no_xml_is_one_clear_line() -> None:
    """With its address."""
    async with gateway() as serving:
        serving.answers["/answer/plivo"] = "{}"
        with pytest.raises(GatewayError, match=r"/answer/plivo: the answer is not XML"):
            async with called(serving):
                pass


def test_without_a_secret_nothing_is_signed() -> None:
    """As a gateway in a test may want it."""
    webhook = PlivoWebhook(CALL, None)  # type: ignore[arg-type]  # no request is made
    assert webhook.stream("ws://gw/s") == StreamOpening("ws://gw/s")
