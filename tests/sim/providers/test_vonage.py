"""Vonage's end of a call: its messages, its NCCO, its signed webhooks, the Voice API."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, AudioFormat
from gateway.errors import GatewayError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.wire import Clear, Close, Mark, Media, SimCall, StreamOpening, Violated
from gateway.sim.providers.vonage import ANSWER_BY_POST, NESTED_DTMF, NOTIFY_ON_CLEAR, VonageWire, parse_ncco

UUID = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
SECRET = "qwertyuiopasdfghjklzxcvbnm123456"
APPLICATION = "0f7f2a3c"
CALL = SimCall("+18005551212", "+14158675309", UUID, "", L16_16K)
OPENING = StreamOpening("ws://gw/stream", parameters={"call_uuid": UUID, "from": "14158675309", "to": "18005551212"})


@pytest.fixture
def wire() -> VonageWire:
    """A fresh stream."""
    return VonageWire(CALL, OPENING)


def quirky(quirk: str) -> VonageWire:
    """One that deviates."""
    return VonageWire(replace(CALL, quirks=frozenset({quirk})), OPENING)


def test_messages_are_those_of_the_vendor_s_document(wire: VonageWire) -> None:
    """The endpoint's headers among the members of the first; audio bare; no message at the end."""
    (connected,) = map(json.loads, wire.opening())
    assert connected == {
        "event": "websocket:connected",
        "content-type": "audio/l16;rate=16000",
        "call_uuid": UUID,
        "from": "14158675309",
        "to": "18005551212",
    }
    assert wire.media(b"\x01" * 640, 0) == (b"\x01" * 640,)
    assert wire.key("5") == ('{"event":"websocket:dtmf","digit":"5","duration":260}',)
    assert wire.cleared() == ('{"event":"websocket:cleared"}',)
    assert wire.stop() == ()


def test_a_key_may_be_in_an_object() -> None:
    """As one integrator has seen it."""
    assert quirky(NESTED_DTMF).key("5") == ('{"event":"websocket:dtmf","dtmf":{"digit":"5","duration":260}}',)


@pytest.mark.parametrize(("audio_format", "frame"), [(L16_8K, 320), (L16_16K, 640), (L16_24K, 960)])
def test_audio_is_taken_in_20_ms_or_not_at_all(audio_format: AudioFormat, frame: int) -> None:
    """Any other length breaks the stream off, with the provider's own words."""
    wire = VonageWire(replace(CALL, audio_format=audio_format), OPENING)
    assert wire.parse(bytes(frame)) == (Media(bytes(frame)),)
    what = f"unexpected frame size 160, when required {frame // 2}"
    if frame != 320:
        assert wire.parse(bytes(320)) == (Violated(what, code=1006), Close(1006))
    assert wire.parse(bytes(frame + 1))[1:] == (Close(1006),)


def test_a_notify_returns_its_payload(wire: VonageWire) -> None:
    """Any object, as it was given; nothing for one that a clear overtook."""
    assert wire.parse('{"action":"notify","payload":{"id":"g1-1","x":[1]}}') == (Mark("g1-1"),)
    assert wire.mark_returned("g1-1", cleared=False) == (
        '{"event":"websocket:notify","payload":{"id":"g1-1","x":[1]}}',
    )
    (mark,) = wire.parse('{"action":"notify","payload":{"a":1}}')
    assert isinstance(mark, Mark)
    assert wire.mark_returned(mark.name, cleared=True) == ()


def test_a_clear_may_return_notifies() -> None:
    """Which is not documented either way."""
    wire = quirky(NOTIFY_ON_CLEAR)
    wire.parse('{"action":"notify","payload":{"id":"m"}}')
    assert wire.mark_returned("m", cleared=True) == ('{"event":"websocket:notify","payload":{"id":"m"}}',)


@pytest.mark.parametrize(
    "message",
    ["hello", "[]", '{"action":"hangup"}', '{"action":"clear","at":1}', '{"action":"notify","payload":"x"}'],
)
def test_everything_else_is_invalid(wire: VonageWire, message: str) -> None:
    """The reason and the message are told; clear is understood."""
    with pytest.raises(WireError, match=r"neither clear nor notify|not JSON"):
        wire.parse(message)
    assert wire.parse('{"action":"clear"}') == (Clear(),)


def ncco(url: str = "wss://gw.example.com/stream/vonage/t", event_url: str = "", **endpoint: Any) -> str:
    """An answer, with these members of its endpoint."""
    connect: dict[str, Any] = {
        "action": "connect",
        "from": "18005551212",
        "endpoint": [
            {
                "type": "websocket",
                "uri": url,
                "content-type": "audio/l16;rate=16000",
                "headers": {"call_uuid": UUID},
                "authorization": {"type": "vonage"},
                **endpoint,
            }
        ],
    }
    if event_url:
        connect |= {"eventType": "synchronous", "eventUrl": [event_url]}
    return json.dumps([connect])


def test_the_stream_of_an_ncco_is_found() -> None:
    """With its format and headers, whom to tell of it, and what stands behind."""
    read = parse_ncco(ncco(event_url="https://gw/answer")[:-1] + ',{"action":"talk","text":"x"}]')
    assert (read.url, read.audio_format, read.headers) == (
        "wss://gw.example.com/stream/vonage/t",
        L16_16K,
        {"call_uuid": UUID},
    )
    assert (read.event_url, read.synchronous, read.behind) == ("https://gw/answer", True, ("talk",))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<Response/>", "connects no WebSocket"),
        ("{}", "connects no WebSocket"),
        ('[{"action":"talk","text":"x"}]', "connects no WebSocket"),
        (ncco(type="phone"), "connects no WebSocket"),
        (ncco("https://x"), "connects no WebSocket"),
        (ncco(**{"content-type": "audio/l16;rate=44100"}), "content-type 'audio/l16;rate=44100'"),
        (ncco(headers={"x": "y" * 512}), "headers of 520 bytes"),
        (ncco(headers={"event": "y"}), "no event or content-type"),
    ],
)
def test_an_answer_without_a_usable_stream_is_refused(text: str, reason: str) -> None:
    """The reason is told."""
    with pytest.raises(WireError, match=reason):
        parse_ncco(text)


class Gateway:
    """A stand-in: answers its webhooks, takes the stream, keeps what came."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.upgrade: dict[str, Any] = {}
        self.url = ""
        self.answer = ""
        self.after = ""
        self.closes = False

    def _claims(self, request: web.Request) -> dict[str, Any]:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        return jwt.decode(token, SECRET, algorithms=["HS256"])

    async def webhook(self, request: web.Request) -> web.Response:
        """Anything but the stream."""
        body = await request.read()
        claims = self._claims(request)
        if body:
            assert claims["payload_hash"] == hashlib.sha256(body).hexdigest()
        data = json.loads(body) if body else dict(request.query)
        self.requests.append((request.path, data, claims))
        return web.json_response(text=self.after if "status" in data else self.answer)

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """The stream, until one side closes it."""
        self.upgrade = self._claims(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if self.closes and message.type is aiohttp.WSMsgType.BINARY:
                await socket.close()
        return socket


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """It, served."""
    serving = Gateway()
    app = web.Application()
    app.router.add_route("*", "/{path:(answer|status).*}", serving.webhook)
    app.router.add_get("/stream/{path:.*}", serving.stream)
    async with TestServer(app) as server:
        serving.url = f"http://127.0.0.1:{server.port}"
        serving.answer = ncco(f"ws://127.0.0.1:{server.port}/stream/vonage/t", f"{serving.url}/answer/vonage")
        yield serving


def called(
    serving: Gateway, api: SimulatedApi | None = None, quirks: tuple[str, ...] = (), private_key: str = ""
) -> Any:
    """A call from its webhook to its end."""
    return dial(
        "vonage",
        answer_url=f"{serving.url}/answer/vonage",
        status_url=f"{serving.url}/status/vonage",
        to="+18005551212",
        from_="+14158675309",
        secrets={"signature_secret": SECRET, "application_id": APPLICATION, "private_key": private_key},
        call_id=UUID,
        quirks=quirks,
        api=api,
    )


@pytest.mark.parametrize("quirks", [(), (ANSWER_BY_POST,)])
async def test_the_webhooks_are_called_as_vonage_calls_them(quirks: tuple[str, ...]) -> None:
    """The answer by GET or POST, each with a token of its own; at the end an event for each of the two legs."""
    async with gateway() as serving, called(serving, quirks=quirks) as phone:
        assert phone.audio_format is L16_16K
    (answer, data, _), (first, of_stream, _), (second, of_caller, _) = serving.requests
    assert (answer, first, second) == ("/answer/vonage", "/answer/vonage", "/status/vonage")
    assert (data["uuid"], data["from"], data["to"]) == (UUID, "14158675309", "18005551212")
    assert (of_stream["status"], of_stream["headers"]) == ("completed", {"call_uuid": UUID})
    assert of_stream["uuid"] != UUID
    assert (of_caller["status"], of_caller["uuid"]) == ("completed", UUID)
    tokens = [serving.upgrade, *(claims for _, _, claims in serving.requests)]
    assert {(claims["iss"], claims["application_id"]) for claims in tokens} == {("Vonage", APPLICATION)}
    assert len({claims["jti"] for claims in tokens}) == 4


async def test_the_event_of_a_closed_stream_may_be_answered() -> None:
    """Its NCCO is what happens to the caller then."""
    async with gateway() as serving:
        serving.closes, serving.after = True, '[{"action":"talk","text":"Goodbye."}]'
        async with called(serving) as phone:
            await phone.closed.wait()
            assert phone.ended_by == "gateway"
    assert [data.get("status") for _, data, _ in serving.requests] == [None, "disconnected", "completed"]


async def test_an_action_behind_the_connect_is_told() -> None:
    """It would run over the stream."""
    async with gateway() as serving:
        serving.answer = serving.answer[:-1] + ',{"action":"talk","text":"x"}]'
        async with called(serving) as phone:
            pass
    assert [violation.what for violation in phone.violations] == [
        "talk behind the connect: run as soon as the socket was up"
    ]


async def test_an_answer_that_is_no_ncco_is_one_clear_line() -> None:
    """With its address."""
    async with gateway() as serving:
        serving.answer = '[{"action":"record"}]'
        with pytest.raises(GatewayError, match=r"/answer/vonage: the NCCO connects no WebSocket"):
            async with called(serving):
                pass


async def test_an_ncco_without_an_action_rejects_the_call() -> None:
    """Nothing has answered it."""
    async with gateway() as serving:
        serving.answer = "[]"
        with pytest.raises(BusyError):
            async with called(serving):
                pass


PATH = f"/v1/calls/{UUID}"


@pytest.fixture(scope="module")
def private_key() -> str:
    """An application's key."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def bearer(private_key: str, **claims: Any) -> dict[str, str]:
    """A token as an application makes it."""
    usual = {"application_id": APPLICATION, "iat": 1_700_000_000, "exp": 33_000_000_000, "jti": "1"}
    return {"Authorization": f"Bearer {jwt.encode(usual | claims, private_key, algorithm='RS256')}"}


@pytest.mark.parametrize(
    ("body", "event", "name"),
    [
        ({"action": "hangup"}, "hang_up", "REST"),
        (
            {
                "action": "transfer",
                "destination": {
                    "type": "ncco",
                    "ncco": [
                        {"action": "talk", "text": "x"},
                        {"action": "connect", "endpoint": [{"type": "phone", "number": "15551230000"}]},
                    ],
                },
            },
            "transfer",
            "15551230000",
        ),
    ],
)
async def test_the_voice_api_ends_the_stream(private_key: str, body: dict[str, Any], event: str, name: str) -> None:
    """With a token of the application's key and no other; keys are taken as well, nonsense is not."""
    async with gateway() as serving, SimulatedApi.serving() as api, ClientSession() as http:
        async with called(serving, api, private_key=private_key) as phone:
            good = bearer(private_key)
            for headers in ({}, bearer(private_key, application_id="other"), bearer(private_key, exp=1)):
                assert (await http.put(api.url + PATH, json=body, headers=headers)).status == 401
            assert (await http.put(api.url + PATH, json={"action": "x"}, headers=good)).status == 400
            assert (await http.put(f"{api.url}{PATH}/dtmf", json={"digits": "1"}, headers=good)).status == 200
            assert (await http.put(f"{api.url}{PATH}/dtmf", json={}, headers=good)).status == 400
            assert [message.name for message in phone.messages if message.event == "digits"] == ["1"]
            if event == "transfer":
                api.transfer_refusal = 403
                assert (await http.put(api.url + PATH, json=body, headers=good)).status == 403
                api.transfer_refusal = None
            assert (await http.put(api.url + PATH, json=body, headers=good)).status == 204
            await phone.closed.wait()
        assert [message.name for message in phone.messages if message.event == event] == [name]
        assert (await http.put(api.url + PATH, json=body, headers=good)).status == 404
    assert serving.requests[1][1]["status"] == "completed"
