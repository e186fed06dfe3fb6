"""Azure Communication Services' end of a call: its messages, deliveries and callbacks, its REST API, its tokens."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import pytest
from aiohttp import web

from gateway.audio.formats import L16_16K, L16_24K
from gateway.errors import GatewayError, WireError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import ApiRequest, SimulatedApi
from gateway.sim.phone.wire import Clear, Media, SimCall, StreamOpening
from gateway.sim.providers.acs import (
    ISSUER,
    KEYS_PATH,
    AcsWire,
    publish_keys,
    published_keys,
    refusal,
    token,
)
from tests.sim.scripted import Peer, Scripted, scripted

ACCESS_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CALL = SimCall("+18005551212", "+14158675309", "connection", "correlation", L16_24K)
OPENING = StreamOpening("ws://gw/stream")


@pytest.fixture
def wire() -> AcsWire:
    """A fresh stream."""
    return AcsWire(CALL, OPENING)


def test_messages_are_those_of_the_vendor_s_document(wire: AcsWire) -> None:
    """Metadata with the format and a frame's length, audio with its time and whether it is silent, a key."""
    metadata = {"subscriptionId": "correlation", "encoding": "PCM", "sampleRate": 24000, "channels": 1, "length": 960}
    assert json.loads(wire.opening()[0]) == {"kind": "AudioMetadata", "audioMetadata": metadata}
    audio = json.loads(wire.media(b"\x01\x00" * 480, 3_723_040)[0])
    assert audio["kind"] == "AudioData"
    assert audio["audioData"] == {
        "timestamp": "2026-01-01T01:02:03.040Z",
        "participantRawID": None,
        "data": base64.b64encode(b"\x01\x00" * 480).decode(),
        "silent": False,
    }
    assert json.loads(wire.media(bytes(960), 0)[0])["audioData"]["silent"] is True
    assert wire.key("3") == ('{"kind":"DtmfData","dtmfData":{"data":"3"}}',)
    assert wire.mark_returned("m", cleared=True) == ()
    assert wire.stop() == ()


def test_the_two_orders_are_understood(wire: AcsWire) -> None:
    """AudioData and StopAudio, spelled as in the samples."""
    assert wire.parse('{"Kind":"AudioData","AudioData":{"Data":"AQI="},"StopAudio":null}') == (Media(b"\x01\x02"),)
    assert wire.parse('{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}') == (Clear(),)


@pytest.mark.parametrize(
    "message",
    [
        b"\x00",
        "x",
        "{}",
        '{"Kind":"StopAudio"}',
        '{"Kind":"AudioData","AudioData":null,"StopAudio":{}}',
        '{"Kind":"AudioData","AudioData":{"Data":"AQ=="},"StopAudio":null}',
        '{"Kind":"AudioData","AudioData":{"Data":"*"},"StopAudio":null}',
        '{"Kind":"AudioData","AudioData":{"Data":"AQI=","x":1},"StopAudio":null}',
        '{"kind":"AudioData","audioData":{"data":"AQI="},"stopAudio":null}',
        '{"Kind":"Mark","AudioData":null,"StopAudio":null}',
    ],
)
def test_everything_else_is_invalid(wire: AcsWire, message: str | bytes) -> None:
    """Binary, other kinds and spellings, extra members, half a sample."""
    with pytest.raises(WireError):
        wire.parse(message)


def test_tokens_are_those_of_the_published_key() -> None:
    """Of the service, to the resource."""
    (key,) = jwt.PyJWKSet.from_dict(published_keys()).keys
    scheme, _, given = token("our-resource", 300).partition(" ")
    assert scheme == "Bearer"
    assert jwt.get_unverified_header(given)["kid"] == key.key_id
    claims = jwt.decode(given, key, algorithms=["RS256"], audience="our-resource", issuer=ISSUER)
    assert claims["exp"] - claims["nbf"] == 300


# The signature of requests, made here apart from the gateway's own; the example is that of test_acs of the gateway.


def signed(method: str, url: str, body: bytes, now_s: float) -> dict[str, str]:
    parts, date = urlsplit(url), formatdate(now_s, usegmt=True)
    content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = f"{method}\n{parts.path}?{parts.query}\n{date};{parts.netloc};{content_hash}"
    proof = base64.b64encode(hmac.digest(base64.b64decode(ACCESS_KEY), text.encode(), "sha256")).decode()
    credentials = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={proof}"
    return {"x-ms-date": date, "x-ms-content-sha256": content_hash, "Authorization": credentials}


EXAMPLE = ApiRequest(
    at=0,
    method="POST",
    path="/calling/callConnections:answer",
    query={"api-version": "2025-05-15"},
    headers={
        "host": "contoso.communication.azure.com",
        "x-ms-date": "Tue, 14 Nov 2023 22:13:20 GMT",
        "x-ms-content-sha256": "AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=",
        "authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
        "v2eguoRgttTWZYRycFIWFOWJm5/hWnkqTM3IEeAOEPI=",
    },
    body=b'{"a":1}',
    data={"a": 1},
)


def test_a_request_is_believed_by_its_hmac() -> None:
    """And by nothing else: another path, body, date or key is refused with its reason."""
    assert refusal(EXAMPLE, ACCESS_KEY, 1_700_000_000) == ""
    assert "date" in refusal(EXAMPLE, ACCESS_KEY, 1_700_000_301)
    assert "HMAC" in refusal(EXAMPLE, base64.b64encode(b"another").decode(), 1_700_000_000)
    changes: dict[str, Any] = {"body": b"{}", "path": "/x", "query": {}, "method": "GET", "headers": {}}
    for name, value in changes.items():
        fields = {key: getattr(EXAMPLE, key) for key in ("at", "method", "path", "query", "headers", "body", "data")}
        assert refusal(ApiRequest(**{**fields, name: value}), ACCESS_KEY, 1_700_000_000)


@dataclass
class Gateway:
    """A gateway's HTTP: validates the subscription, answers calls by REST, keeps what it is told."""

    api: SimulatedApi
    url: str = ""
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    options: Mapping[str, object] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)

    async def deliver(self, request: web.Request) -> web.Response:
        if request.query.get("secret") != "sesame":
            return web.Response(status=403)
        (event,) = await request.json()
        if event["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent":
            return web.json_response({"validationResponse": event["data"]["validationCode"]})
        assert event["data"]["from"]["phoneNumber"]["value"] == "+1"
        options = {
            "transportUrl": self.url,
            "transportType": "websocket",
            "audioChannelType": "mixed",
            "audioFormat": "pcm16KMono",
            "startMediaStreaming": True,
            "enableBidirectional": True,
            **self.options,
        }
        body = {
            "incomingCallContext": event["data"]["incomingCallContext"],
            "callbackUri": str(request.url.with_path("/status").with_query(None)),
            "mediaStreamingOptions": options,
        }
        await self.ask("/calling/callConnections:answer", body)
        return web.Response()

    async def status(self, request: web.Request) -> web.Response:
        headers = dict(request.headers)
        self.told += [(event["type"].rpartition(".")[2], headers) for event in await request.json()]
        return web.Response(status=204)

    async def ask(self, path: str, body: object = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{self.api.url}{path}?api-version=2025-05-15"
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=content, headers=signed("POST", url, content, time.time())) as response,
        ):
            self.statuses.append(response.status)


Call = tuple[Gateway, SimulatedPhone, Scripted]


@asynccontextmanager
async def a_call(*, hangs_up: bool = False, options: Mapping[str, object] | None = None) -> AsyncIterator[Call]:
    """A call from its delivery on."""

    async def gateway_end(peer: Peer) -> None:
        await peer.send('{"Kind":"AudioData","AudioData":{"Data":"AQI="},"StopAudio":null}')
        if hangs_up:
            await peer.socket.close()

    async with SimulatedApi.serving() as api, asyncio.timeout(20):
        gateway = Gateway(api, options=options or {})
        hooks = {"/answer": gateway.deliver, "/status": gateway.status}
        async with scripted(gateway_end, hooks=hooks) as held:
            gateway.url = held.url
            secrets = {"access_key": ACCESS_KEY, "stream_secret": "sesame", "resource_id": "our-resource"}
            async with dial(
                "acs", answer_url=f"{held.base_url}/answer", to="+2", from_="+1", secrets=secrets, api=api
            ) as phone:
                yield gateway, phone, held


async def test_a_call_is_delivered_answered_and_called_back() -> None:
    """Validation, the incoming call, the REST answer, the stream in the format that was asked for, the callbacks."""
    async with a_call() as (gateway, phone, held):
        assert phone.audio_format == phone.bot_format == L16_16K
        phone.hang_up()
        end = await held.peer()
    assert gateway.statuses == [200]
    assert [kind for kind, _ in gateway.told] == [
        "CallConnected",
        "MediaStreamingStarted",
        "MediaStreamingStopped",
        "CallDisconnected",
    ]
    assert gateway.told[0][1]["Authorization"].startswith("Bearer ")
    assert end.headers["x-ms-call-connection-id"] == phone.call_id
    assert end.headers["Authorization"].startswith("Bearer ")
    assert json.loads(end.texts[0])["audioMetadata"]["sampleRate"] == 16000
    assert phone.violations == []


async def test_the_gateway_ends_the_call_by_rest() -> None:
    """And once only; the stream is closed by the provider."""
    async with a_call() as (gateway, phone, _):
        await gateway.ask(f"/calling/callConnections/{phone.call_id}:terminate")
        await phone.closed.wait()
        await gateway.ask(f"/calling/callConnections/{phone.call_id}:terminate")
    assert gateway.statuses == [200, 204, 404]
    assert (phone.ended_by, [m.name for m in phone.messages if m.event == "hang_up"]) == ("gateway", ["terminate"])
    assert phone.violations == []


async def test_a_call_that_is_left_to_itself_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call outlives its stream: whoever closes that has to end or transfer the call."""
    monkeypatch.setattr("gateway.sim.providers.acs.FAREWELL_S", 0.05)
    async with a_call(hangs_up=True) as (_, phone, _held):
        await phone.closed.wait()
    assert [violation.what for violation in phone.violations] == [
        "the stream was closed, and the call left to itself for 0.05 s"
    ]


async def test_the_gateway_transfers_by_rest() -> None:
    """To a number, unless the transfer is refused; digits are taken before."""
    async with a_call() as (gateway, phone, _):
        connection = f"/calling/callConnections/{phone.call_id}"
        target = {"kind": "phoneNumber", "phoneNumber": {"value": "+14255550199"}}
        await gateway.ask(f"{connection}:sendDtmfTones", {"tones": ["one", "pound"], "targetParticipant": target})
        await gateway.ask(f"{connection}:sendDtmfTones", {"tones": ["1"], "targetParticipant": target})
        await gateway.ask(f"{connection}:transferToParticipant", {"targetParticipant": {}})
        gateway.api.transfer_refusal = 403
        await gateway.ask(f"{connection}:transferToParticipant", {"targetParticipant": target})
        gateway.api.transfer_refusal = None
        await gateway.ask(f"{connection}:transferToParticipant", {"targetParticipant": target})
        await phone.closed.wait()
    assert gateway.statuses == [200, 202, 400, 400, 403, 202]
    assert [m.name for m in phone.messages if m.event == "digits"] == ["1#"]
    assert [m.name for m in phone.messages if m.event == "transfer"] == ["+14255550199"]


@pytest.mark.parametrize(("enabled", "heard"), [(True, 1), (False, 0)])
async def test_keys_come_where_they_were_asked_for(*, enabled: bool, heard: int) -> None:
    """Without ``enableDtmfTones`` the stream has none."""
    async with a_call(options={"enableDtmfTones": enabled}) as (_, phone, held):
        await phone.press("5")
        phone.hang_up()
        peer = await held.peer()
    assert sum('"DtmfData"' in text for text in peer.texts) == heard


async def test_a_transfer_behind_the_stream_is_seen() -> None:
    """A call outlives its stream."""
    async with a_call(hangs_up=True) as (gateway, phone, _):
        await phone.closed.wait()
        target = {"kind": "phoneNumber", "phoneNumber": {"value": "+14255550199"}}
        connection = f"/calling/callConnections/{phone.call_id}"
        await gateway.ask(f"{connection}:transferToParticipant", {"targetParticipant": target})
    assert [m.name for m in phone.messages if m.event == "transfer"] == ["+14255550199"]
    assert (phone.end_reason, phone.violations) == ("the gateway closed the stream", [])


@pytest.mark.parametrize(
    "option",
    [
        {"audioFormat": "pcm8KMono"},
        {"audioChannelType": "unmixed"},
        {"enableBidirectional": False},
        {"transportUrl": "https://x"},
        {"transportType": "pigeon"},
    ],
)
async def test_an_answer_that_makes_no_conversation_is_refused(option: dict[str, object]) -> None:
    """400, and so there is no call."""
    with pytest.raises(GatewayError, match="did not answer it by the REST API"):
        async with a_call(options=option):
            pass


async def test_the_keys_are_served_where_the_gateway_looks() -> None:
    """As the JWKS document."""
    async with SimulatedApi.serving() as api, aiohttp.ClientSession() as http:
        publish_keys(api)
        async with http.get(api.url + KEYS_PATH) as response:
            assert await response.json() == published_keys()
