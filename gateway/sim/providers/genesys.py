"""Genesys Cloud's end of a call: AudioHook as Audio Connector speaks it, the signed upgrade, the flow that follows.

Source: Genesys Cloud Developer Center, AudioHook protocol reference; purecloudlabs/audiohook-reference-implementation.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from gateway.audio.formats import PCMU
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.webhook import SimProvider, Webhook, stream_beside
from gateway.sim.phone.wire import (
    Clear,
    Close,
    HangUp,
    Media,
    Message,
    Order,
    Send,
    SimCall,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)

ORGANIZATION_ID = "d7934305-0972-4844-938e-9060eef73d05"
NIL = "00000000-0000-0000-0000-000000000000"
TEXT_LIMIT = 65_535
AUDIO_LIMIT = 64_000
FIRST_PING_MS = 1_000
PING_MS = 5_000
RATE = 5
"""Messages a second of either kind, in the long run; no number is published, this is what integrations keep to."""
BURST = 25
PROBE = "probe"
"""Quirk: the connection is a probe, which checks that the gateway can be reached, as the reference client makes it:
three media are offered, and once the session is open an empty audio message and the end follow."""
MONITOR = "monitor"
"""Quirk: the integration is AudioHook Monitor, which offers both channels."""


def _media(*channels: str) -> dict[str, object]:
    return {"type": "audio", "format": "PCMU", "channels": list(channels), "rate": 8000}


_CONNECTOR_MEDIA = [_media("external")]
_MONITOR_MEDIA = [_media("external", "internal"), _media("external"), _media("internal")]


class _ServerMessage(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal["2"]
    id: str
    type: Literal["opened", "pong", "event", "disconnect", "closed", "pause", "resume", "reconnect", "updated"]
    seq: int
    clientseq: int
    parameters: dict[str, Any]


_decode = msgspec.json.Decoder(_ServerMessage).decode


class _Allowance:
    """The allowance for one kind of message: a burst at first, then so many a second."""

    def __init__(self) -> None:
        self._tokens = float(BURST)
        self._at_ms = 0

    def take(self, now_ms: int) -> bool:
        """Return whether one more message is allowed."""
        self._tokens = min(BURST, self._tokens + (now_ms - self._at_ms) * RATE / 1000)
        self._at_ms = now_ms
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class GenesysWire(Wire):
    """The client of one session, which alone closes the socket: numbered transactions, audio as binary."""

    invalid_code = 400
    gateway_may_close = False

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._seq = 0
        self._server_seq = 0
        self._now_ms = 0
        self._opened = False
        self._probes = PROBE in call.quirks
        self._offered = _MONITOR_MEDIA if call.quirks & {PROBE, MONITOR} else _CONNECTOR_MEDIA
        self._paused = False
        self._close_reason = "end"
        self._closing = False
        self._closed = False
        self._ping_seq = 0
        self._pings = 0
        self._ping_at_ms = FIRST_PING_MS
        self._texts = _Allowance()
        self._audios = _Allowance()
        self.output_variables: dict[str, Any] = {}
        """The values that the gateway gave back to the flow, by ``disconnect`` or ``closed``."""

    @property
    def ready(self) -> bool:
        """True once ``opened`` has come."""
        return self._opened

    @property
    def stopped(self) -> bool:
        """True once ``closed`` has come."""
        return self._closed

    def opening(self) -> Sequence[str]:
        """Return the open transaction: who calls whom, and the media: Audio Connector offers one."""
        probe = self._probes
        participant = {
            "id": NIL if probe else str(uuid4()),
            "ani": "" if probe else self.call.from_,
            "aniName": "",
            "dnis": "" if probe else self.call.to,
        }
        parameters: dict[str, object] = {
            "organizationId": ORGANIZATION_ID,
            "conversationId": NIL if probe else self.call.call_id,
            "participant": participant,
            "media": self._offered,
            "language": "en-US",
            "customConfig": {},
            "inputVariables": dict(self.stream.parameters),
        }
        return (self._message("open", parameters),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[bytes]:
        """Return the customer's audio, unless the gateway paused it."""
        return () if self._paused or self._closing else (audio,)

    def key(self, digit: str) -> Sequence[str]:
        """Return a dtmf message."""
        return (self._message("dtmf", {"digit": digit}),)

    def playback_started(self) -> Sequence[str]:
        """Return the event that the playback has started."""
        return (self._message("playback_started", {}),)

    def playback_ended(self) -> Sequence[str]:
        """Return the event that the playback has ended, when the queue has run dry."""
        return (self._message("playback_completed", {}),)

    def tick(self, now_ms: int, queued_ms: float) -> Sequence[str]:
        """Return a ping after a second, another with the first round trip, then every five seconds."""
        self._now_ms = now_ms
        if now_ms < self._ping_at_ms or self._closing:
            return ()
        if self._ping_seq:
            return self._failure(408, "Timeout waiting for pong")
        self._ping_at_ms = now_ms + PING_MS
        return self._ping()

    def stop(self) -> Sequence[str]:
        """Return the close transaction."""
        if self._closing:
            return ()
        self._closing = True
        return (self._message("close", {"reason": self._close_reason}),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse what the server sent; its errors are answered by ``error``, and all but 429 by ``close`` as well."""
        if isinstance(message, bytes):
            return self._audio(message)
        if len(message) > TEXT_LIMIT:
            return self._broken(413, "Message too large")
        try:
            read = _decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            return self._broken(400, f"Message not an AudioHook server message: {error}")
        if read.seq != self._server_seq + 1:
            return self._broken(500, f"seq {read.seq}: expected {self._server_seq + 1}")
        self._server_seq = read.seq
        if read.id != self.call.stream_id or read.clientseq > self._seq:
            return self._broken(400, f"id {read.id!r}, clientseq {read.clientseq}: not of this session")
        if not self._texts.take(self._now_ms):
            return self._limited()
        return self._obey(read)

    def _audio(self, audio: bytes) -> Sequence[Order]:
        if not self._opened:
            return self._broken(415, "Unexpected binary message")
        if len(audio) > AUDIO_LIMIT:
            return self._broken(413, f"{len(audio)} bytes of audio: at most {AUDIO_LIMIT} are taken")
        if not self._audios.take(self._now_ms):
            return self._limited()
        return () if self._closing else (Media(audio),)

    def _obey(self, read: _ServerMessage) -> Sequence[Order]:
        match read.type:
            case "opened":
                return self._accept(read.parameters)
            case "pong":
                return self._pong(read.clientseq)
            case "event":
                return self._event(read.parameters)
            case "disconnect":
                return self._disconnect(read.parameters)
            case "closed":
                return self._end(read.parameters)
            case "pause" | "resume":
                self._paused = read.type == "pause"
                position = {"start": self._position(), "discarded": "PT0S"}
                answer = self._message("paused", {}) if self._paused else self._message("resumed", position)
                return (Send((answer,)),)
            case _:
                return ()

    def _accept(self, parameters: Mapping[str, Any]) -> Sequence[Order]:
        if self._opened:
            return self._broken(409, "Unexpected 'opened' message")
        media = parameters.get("media")
        if not isinstance(media, list) or len(media) > 1:
            return self._broken(400, "More than one media selected")
        if any(selected not in self._offered for selected in media) or not (media or self._probes):
            return self._broken(400, "Selected media not one of the offered")
        self._opened = True
        self._paused = parameters.get("startPaused") is True
        return (Send((b"", *self.stop())),) if self._probes else ()

    def _pong(self, clientseq: int) -> Sequence[Order]:
        expected, self._ping_seq = self._ping_seq, 0
        if not expected:
            wrong = "Unexpected 'pong' (no outstanding 'ping')"
            return Violated(wrong, 409), Send((self._error(409, wrong),))
        if clientseq != expected:
            wrong = f"the pong's clientseq {clientseq} is not its ping's seq {expected}"
            return Violated(wrong, 400), Send((self._error(400, wrong),))
        return (Send(self._ping()),) if self._pings == 1 and not self._closing else ()

    def _event(self, parameters: Mapping[str, Any]) -> Sequence[Order]:
        entities = parameters.get("entities")
        kinds = [entity.get("type") for entity in entities] if isinstance(entities, list) else []
        if not kinds or not set(kinds) <= {"barge_in", "bot_turn_response"}:
            return (Violated(f"event with entities {kinds}: expected barge_in or bot_turn_response", 400),)
        return [Clear() for kind in kinds if kind == "barge_in"]

    def _disconnect(self, parameters: Mapping[str, Any]) -> Sequence[Order]:
        reason = parameters.get("reason")
        if reason not in ("completed", "unauthorized", "error"):
            return self._broken(400, f"disconnect with reason {reason!r}")
        self._close_reason = "disconnect"
        self.output_variables |= parameters.get("outputVariables", {})
        if self.output_variables.get("action") == "transfer":
            return (Transfer(str(self.output_variables.get("target", ""))),)
        return (HangUp(reason),)

    def _end(self, parameters: Mapping[str, Any]) -> Sequence[Order]:
        if not self._closing:
            return self._broken(409, "Unexpected 'closed' message")
        self.output_variables |= parameters.get("outputVariables", {})
        self._closed = True
        return (Close(),) if self._close_reason == "error" or self._probes else ()

    def _limited(self) -> Sequence[Order]:
        return (
            Violated(f"more than {RATE} messages a second after {BURST}", 429, once=True),
            Send((self._message("error", {"code": 429, "message": "Rate limit exceeded", "retryAfter": "PT1S"}),)),
        )

    def _broken(self, code: int, what: str) -> Sequence[Order]:
        return Violated(what, code), Send(self._failure(code, what))

    def _failure(self, code: int, what: str) -> Sequence[str]:
        if self._closing:
            return ()
        error, self._close_reason = self._error(code, what), "error"
        return (error, *self.stop())

    def _error(self, code: int, what: str) -> str:
        return self._message("error", {"code": code, "message": what})

    def _ping(self) -> Sequence[str]:
        self._pings += 1
        message = self._message("ping", {} if self._pings == 1 else {"rtt": "PT0.05S"})
        self._ping_seq = self._seq
        return (message,)

    def _message(self, kind: str, parameters: Mapping[str, object]) -> str:
        self._seq += 1
        message = {
            "version": "2",
            "id": self.call.stream_id,
            "type": kind,
            "seq": self._seq,
            "serverseq": self._server_seq,
            "position": self._position(),
            "parameters": parameters,
        }
        return json.dumps(message, separators=(",", ":"))

    def _position(self) -> str:
        return f"PT{self._now_ms / 1000:g}S"


def signature(url: str, headers: Mapping[str, str], client_secret: str, signed: str) -> str:
    """Return ``Signature`` of the upgrade to ``url``; ``signed`` is what ``Signature-Input`` has after ``sig1=``."""
    parts = urlsplit(url)
    lines = [
        f'"@request-target": {parts.path}' + (f"?{parts.query}" if parts.query else ""),
        f'"@authority": {parts.netloc}',
        *(f'"{name.lower()}": {value}' for name, value in headers.items()),
        f'"@signature-params": {signed}',
    ]
    proof = hmac.new(base64.b64decode(client_secret), "\n".join(lines).encode(), hashlib.sha256).digest()
    return f"sig1=:{base64.b64encode(proof).decode()}:"


def upgrade_headers(call: SimCall, url: str, created: int) -> dict[str, str]:
    """Return the integration's API key, the session's ids, and with a ``client_secret`` the signature over them."""
    headers = {
        "Audiohook-Organization-Id": ORGANIZATION_ID,
        "Audiohook-Session-Id": call.stream_id,
        "Audiohook-Correlation-Id": str(uuid4()),
        "X-API-KEY": call.secrets.get("api_key", ""),
    }
    client_secret = call.secrets.get("client_secret", "")
    if not client_secret:
        return headers
    names = " ".join(f'"{name}"' for name in ("@request-target", "@authority", *map(str.lower, headers)))
    nonce = base64.b64encode(secrets.token_bytes(18)).decode()
    signed = (
        f'({names});keyid="{headers["X-API-KEY"]}";nonce="{nonce}";alg="hmac-sha256"'
        f";created={created};expires={created + 10}"
    )
    proof = signature(url, headers, client_secret, signed)
    return {**headers, "Signature-Input": f"sig1={signed}", "Signature": proof}


class GenesysWebhook(Webhook):
    """No webhook: a "Call Audio Connector" action opens the stream of its integration, signed."""

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade, with the integration's credentials."""
        return StreamOpening(url, headers=upgrade_headers(self.call, url, int(time.time())))

    async def call_in(self) -> StreamOpening:
        """Return the stream without a request, as the integration would be set to it."""
        return self.stream(stream_beside(self.call.answer_url))


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = {**keys.texts("api_key"), "client_secret": keys.base64("client_secret")}
    return Account(known, known)


provider = SimProvider(
    name="genesys",
    title="Genesys Cloud",
    wire=GenesysWire,
    webhook=GenesysWebhook,
    account=open_account,
    audio_formats=(PCMU,),
)
