"""Vonage's end of a call: a stream of text events and binary audio, signed webhooks, NCCOs, the Voice API.

Source: Vonage Voice API, "WebSockets", "NCCO reference", "Webhooks", "Signed webhooks", Voice API reference (calls).
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, AudioFormat
from gateway.errors import GatewayError, WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Step
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse, SimulatedApi
from gateway.sim.phone.turned_away import TurnedAwayError
from gateway.sim.phone.webhook import SimProvider, Webhook
from gateway.sim.phone.wire import (
    Clear,
    Close,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    SimCall,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)

CONTENT_TYPES = {f"audio/l16;rate={known.rate_hz}": known for known in (L16_8K, L16_16K, L16_24K)}
FAREWELL_S = 5.0
"""The time that the gateway may take to end a caller's leg whose WebSocket it has closed."""
HEADERS_LIMIT = 512
BUFFERED_MESSAGES = 3072
NOTIFY_ON_CLEAR = "notify_on_clear"
"""Quirk: a clear returns the notifies that it overtakes, before ``websocket:cleared``."""
NESTED_DTMF = "nested_dtmf"
"""Quirk: a key's digit is in an object ``dtmf``."""
ANSWER_BY_POST = "answer_by_post"
"""Quirk: the application's answer method is POST; Vonage's own default is GET."""


class VonageWire(Wire):
    """The messages of one stream; a message of audio of another length than 20 ms breaks it off."""

    queue_limit_ms = BUFFERED_MESSAGES * 20

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._payloads: dict[str, object] = {}

    def opening(self) -> Sequence[str]:
        """Return websocket:connected, with the endpoint's headers among its members."""
        content_type = f"audio/l16;rate={self.audio_format.rate_hz}"
        return (_text({"event": "websocket:connected", "content-type": content_type, **self.stream.parameters}),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[bytes]:
        """Return a frame of the caller's audio as bare samples."""
        return (audio,)

    def key(self, digit: str) -> Sequence[str]:
        """Return a dtmf event."""
        pressed = {"digit": digit, "duration": 260}
        inside = {"dtmf": pressed} if NESTED_DTMF in self.call.quirks else pressed
        return (_text({"event": "websocket:dtmf", **inside}),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse audio, clear and notify."""
        if isinstance(message, bytes):
            samples, required = len(message) // 2, self.bot_format.bytes_for(20) // 2
            if len(message) != required * 2:
                what = f"unexpected frame size {samples}, when required {required}"
                return (Violated(what, code=1006), Close(1006))
            return (Media(message),)
        try:
            read = json.loads(message)
        except ValueError as error:
            raise WireError(f"not JSON ({error}): {message[:120]!r}") from None
        match read:
            case {"action": "clear", **rest} if not rest:
                return (Clear(),)
            case {"action": "notify", "payload": dict() as payload, **rest} if not rest:
                name = str(payload.get("id", _text(payload)))
                self._payloads[name] = payload
                return (Mark(name),)
            case _:
                raise WireError(f"neither clear nor notify with a payload: {message[:120]!r}")

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return the notify with its payload; a clear drops it."""
        payload = self._payloads.pop(name, None)
        if cleared and NOTIFY_ON_CLEAR not in self.call.quirks:
            return ()
        return (_text({"event": "websocket:notify", "payload": payload}),)

    def cleared(self) -> Sequence[str]:
        """Return websocket:cleared, the confirmation of a clear."""
        return ('{"event":"websocket:cleared"}',)


@dataclass(frozen=True)
class Ncco:
    """The content of an NCCO: the WebSocket endpoint, who gets its events, and the actions after it."""

    url: str
    audio_format: AudioFormat
    headers: Mapping[str, str]
    authorization: Mapping[str, str]
    event_url: str
    synchronous: bool
    behind: tuple[str, ...]


def parse_ncco(text: str) -> Ncco:
    """Return the ``connect`` of an NCCO to a WebSocket; ``WireError`` where Vonage would refuse it, or it has none."""
    try:
        actions = json.loads(text)
        kinds = [action["action"] for action in actions]
        connect = actions[kinds.index("connect")]
        (endpoint,) = connect["endpoint"]
        content_type, headers = endpoint["content-type"], endpoint.get("headers", {})
        if endpoint["type"] != "websocket" or not endpoint["uri"].startswith(("ws://", "wss://")):
            raise WireError(f"the NCCO connects no WebSocket: {text[:200]!r}")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WireError(f"the NCCO connects no WebSocket ({error!r}): {text[:200]!r}") from None
    if content_type not in CONTENT_TYPES:
        raise WireError(f"content-type {content_type!r}: expected one of {', '.join(CONTENT_TYPES)}")
    size = len(_text(headers).encode())
    if size > HEADERS_LIMIT or {"event", "content-type"} & set(headers):
        raise WireError(
            f"headers of {size} bytes, {', '.join(headers)}: expected {HEADERS_LIMIT}, no event or content-type"
        )
    return Ncco(
        endpoint["uri"],
        CONTENT_TYPES[content_type],
        headers,
        endpoint.get("authorization", {}),
        next(iter(connect.get("eventUrl", [])), ""),
        connect.get("eventType") == "synchronous",
        tuple(kinds[kinds.index("connect") + 1 :]),
    )


class VonageWebhook(Webhook):
    """The webhook: asks for the NCCO, opens its WebSocket, sends events; signed if there is a ``signature_secret``.

    Of the Voice API it plays hangup, transfer to an NCCO in the request, and keys; the token is checked if there is a
    secret ``private_key``.
    """

    _ncco: Ncco | None = None
    _commanded = False

    def __init__(self, call: SimCall, http: aiohttp.ClientSession, api: SimulatedApi | None = None) -> None:
        super().__init__(call, http, api)
        self._over = asyncio.Event()

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade as it is for an NCCO of the operator's own, with the documented headers."""
        return StreamOpening(url, headers=self._signed(), parameters=self._identity())

    async def call_in(self) -> StreamOpening:
        """Ask for the NCCO; the stream is its WebSocket."""
        fields = {**self._identity(), "uuid": self.call.call_id, "conversation_uuid": f"CON-{uuid4()}"}
        fields.pop("call_uuid")
        if ANSWER_BY_POST in self.call.quirks:
            text = await self._post(self.call.answer_url, fields, "the answer webhook")
        else:
            url = f"{self.call.answer_url}{'&' if '?' in self.call.answer_url else '?'}{urlencode(fields)}"
            text = (await self.ask(url, method="GET", headers=self._signed())).text
        if text.strip() == "[]":
            raise BusyError(self.call.answer_url)
        if (steps := _of_an_end(text)) is not None:
            raise TurnedAwayError(self.call.answer_url, steps)
        try:
            ncco = self._ncco = parse_ncco(text)
        except WireError as error:
            raise GatewayError(f"{self.call.answer_url}: {error}") from None
        if self.has_api:
            self.api.on("PUT", self._path, self._modify)
            self.api.on("PUT", f"{self._path}/dtmf", self._play_keys)
        headers: dict[str, str] = {}
        match ncco.authorization:
            case {"type": "vonage"}:
                headers = self._signed()
            case {"type": "custom", "value": value}:
                headers = {"Authorization": value}
        return StreamOpening(ncco.url, headers=headers, parameters=ncco.headers, audio_format=ncco.audio_format)

    async def stream_failed(self) -> None:
        """Send the event of the WebSocket's leg, which may be answered with an NCCO."""
        if self._ncco is not None and self._ncco.event_url:
            event = {**self._event("failed", str(uuid4())), "headers": dict(self._ncco.headers)}
            text = await self._post(self._ncco.event_url, event, "the event webhook", (200, 204))
            if self._ncco.synchronous and text:
                self.next_actions = tuple(action["action"] for action in json.loads(text))

    async def ended(self) -> None:
        """End the WebSocket's leg, whose event may be answered with an NCCO, then the caller's."""
        ncco, phone = self._ncco, self.phone
        if ncco is not None and phone is not None:
            if ncco.behind:
                phone.warn(Violated(f"{', '.join(ncco.behind)} behind the connect: run as soon as the socket was up"))
            status = "completed" if phone.ended_by == "caller" or self._commanded else "disconnected"
            if ncco.event_url:
                event = {**self._event(status, str(uuid4())), "headers": dict(ncco.headers)}
                text = await self.report(self._post(ncco.event_url, event, "the event webhook", (200, 204)))
                if ncco.synchronous and text and status == "disconnected":
                    phone.continuation = _steps(json.loads(text))
            can_be_ended = self.has_api and bool(self.call.secrets.get("private_key"))
            if can_be_ended and status == "disconnected" and not phone.continuation:
                await self._be_ended(phone)
        if self.has_api:
            self.api.off("PUT", self._path)
            self.api.off("PUT", f"{self._path}/dtmf")
        if self.call.status_url:
            over = self._event("completed", self.call.call_id)
            await self.report(self._post(self.call.status_url, over, "the event webhook", (200, 204)))

    async def _be_ended(self, phone: SimulatedPhone) -> None:
        """Wait for the gateway to end the caller's leg, which outlives the WebSocket's."""
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self._over.wait()
        except TimeoutError:
            phone.warn(Violated(f"the stream was closed, and the caller left in silence for {FAREWELL_S:g} s"))

    @property
    def _path(self) -> str:
        return f"/v1/calls/{self.call.call_id}"

    def _identity(self) -> dict[str, str]:
        numbers = {"from": self.call.from_.removeprefix("+"), "to": self.call.to.removeprefix("+")}
        return {"call_uuid": self.call.call_id, **numbers}

    def _event(self, status: str, uuid: str) -> dict[str, Any]:
        timestamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        numbers = {name: number for name, number in self._identity().items() if name != "call_uuid"}
        return {"status": status, "uuid": uuid, "direction": "inbound", "timestamp": timestamp, **numbers}

    async def _post(self, url: str, data: Mapping[str, Any], what: str, expected: Sequence[int] = (200,)) -> str:
        body = _text(data).encode()
        headers = {"Content-Type": "application/json", **self._signed(body)}
        return (await self.ask(url, body=body, headers=headers, what=what, expected=expected)).text

    def _signed(self, body: bytes | None = None) -> dict[str, str]:
        secret = self.call.secrets.get("signature_secret")
        if not secret:
            return {}
        claims: dict[str, Any] = {"iat": int(time.time()), "jti": str(uuid4()), "iss": "Vonage", "api_key": "a1b2c3d4"}
        if application := self.call.secrets.get("application_id"):
            claims["application_id"] = application
        if body is not None:
            claims["payload_hash"] = hashlib.sha256(body).hexdigest()
        return {"Authorization": f"Bearer {jwt.encode(claims, secret, algorithm='HS256')}"}

    def _modify(self, request: ApiRequest) -> ApiResponse:
        if not self._may_command(request.headers.get("authorization", "")):
            return ApiResponse(401, {"type": "UNAUTHORIZED"})
        match request.data:
            case {"action": "hangup"}:
                self._over.set()
                self.met(Step("hang_up"))
                self._commanded = self.end(HangUp("REST"))
            case {"action": "transfer", "destination": {"type": "ncco", "ncco": [*actions]}}:
                self.may_transfer()
                self._commanded = self.end(Transfer(_target(actions)))
            case _:
                return ApiResponse(400, {"type": "VALIDATION"})
        return ApiResponse(204)

    def _play_keys(self, request: ApiRequest) -> ApiResponse:
        if not self._may_command(request.headers.get("authorization", "")):
            return ApiResponse(401, {"type": "UNAUTHORIZED"})
        digits = str(request.data.get("digits", ""))
        if not digits:
            return ApiResponse(400, {"type": "VALIDATION"})
        if self.phone is not None:
            self.phone.hear_digits(digits)
        return ApiResponse(200, {"message": "DTMF sent", "uuid": self.call.call_id})

    def _may_command(self, authorization: str) -> bool:
        private_key = self.call.secrets.get("private_key")
        if not private_key:
            return authorization.startswith("Bearer ")
        key = load_pem_private_key(private_key.encode(), password=None)
        assert isinstance(key, RSAPrivateKey)  # noqa: S101 -- the key of the gateway under test
        try:
            claims = jwt.decode(authorization.removeprefix("Bearer "), key.public_key(), algorithms=["RS256"])
        except jwt.PyJWTError:
            return False
        return {"iat", "jti"} <= set(claims) and claims.get("application_id") == self.call.secrets.get("application_id")


def _steps(actions: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Return what the actions of an NCCO do to the caller: after the last the call is over."""
    kinds = {"talk": "say", "connect": "transfer"}
    steps = []
    for action in actions:
        kind = kinds.get(str(action.get("action")))
        if kind == "say":
            steps.append(Step("say", str(action.get("text", ""))))
        elif kind == "transfer":
            steps.append(Step("transfer", _target([action])))
        else:
            steps.append(Step("failed", f"no action of a call's end: {action.get('action')}"))
    return (*steps, Step("hang_up"))


def _of_an_end(text: str) -> Sequence[Step] | None:
    """Return what an NCCO does that begins with words, or connects somebody else; ``None`` for another one."""
    try:
        match json.loads(text):
            case [{"action": "talk"}, *_] | [{"endpoint": [{"type": "phone" | "sip"}, *_]}, *_] as actions:
                return _steps(actions)
    except ValueError:
        pass
    return None


def _target(actions: Sequence[Mapping[str, Any]]) -> str:
    for action in actions:
        for endpoint in action.get("endpoint", ()):
            return str(endpoint.get("number") or endpoint.get("uri") or "")
    return ""


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = {**keys.texts("application_id", "signature_secret"), "private_key": keys.rsa()}
    return Account({**known, "api_url": api_url}, known)


provider = SimProvider(
    name="vonage",
    title="Vonage",
    wire=VonageWire,
    webhook=VonageWebhook,
    account=open_account,
    audio_formats=(L16_16K, L16_8K, L16_24K),
)
