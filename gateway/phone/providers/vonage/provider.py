"""Vonage Voice API: WebSocket endpoints (developer.vonage.com, "WebSockets"), webhooks and call control. Pure."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never
from uuid import uuid4

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, AudioFormat, Encoding
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import read_private_key, values_of
from gateway.errors import MessageError, WireError
from gateway.path_segment import segment
from gateway.phone.commands import (
    AskForLife,
    EndStream,
    PhoneCommand,
    PlayAudio,
    SendDigits,
    SendMark,
    StopPlayback,
    StreamCommand,
    TransferCall,
)
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    MarkReturned,
    OddMessage,
    PhoneEvent,
    Playout,
    UnknownMessage,
)
from gateway.phone.pointing import Account, ByApi
from gateway.phone.provider import (
    CallCommands,
    Confirmation,
    Grant,
    Proof,
    Provider,
    Setup,
    SignatureError,
    Traits,
    UnsignedError,
    Upgrade,
)
from gateway.phone.providers.vonage import ncco, pointing
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.http_request import ending
from gateway.phone.shared.json_text import UNREADABLE, key_pressed, mark_name, read_again, read_object
from gateway.phone.shared.jwt import algorithm, bearer, check_payload_hash, read_hs256
from gateway.phone.shared.members import Members
from gateway.phone.waiting import Wait
from gateway.phone.webhook import (
    After,
    Answer,
    CallStatus,
    Connect,
    IncomingCall,
    StreamEnded,
    WebhookRequest,
    Webhooks,
)
from gateway.text import json_bytes, json_text

TRAITS = Traits(
    title="Vonage",
    formats=(L16_8K, L16_16K, L16_24K),
    playout=Playout(),
    confirmation=Confirmation.PLAYED_MARKS,
    keys_out="REST",
    hang_up="REST",
    transfer="REST",
    when_full=("say", "transfer"),
    signature="JWT with a hash of the body; the upgrade too",
    stream_key="token in the path, and the JWT from the first right one on",
    guesses_upgrade=True,
)
TOKEN_LIFE_S = 300
"""The life of a token for the REST API."""
ENDED = frozenset({"completed", "busy", "cancelled", "unanswered", "rejected", "failed", "timeout", "disconnected"})
NOT_CONNECTED = ENDED - {"completed"}
"""Statuses of the stream's leg whose event may be answered with what follows the stream."""

_FORMATS = {f"audio/l16;rate={known.rate_hz}": known for known in TRAITS.formats}
_object = msgspec.json.Decoder(dict[str, Any]).decode


class VonageCodec:
    """The wire of one stream: JSON as text, audio as binary messages of exactly 20 ms.

    A clear may or may not return the marks that it overtook. ``websocket:cleared`` itself confirms nothing.
    """

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._started = False
        self._frame_bytes = L16_16K.bytes_for(TRAITS.playout.frame_ms)
        self._part_frame = b""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        if isinstance(message, bytes):
            return (CallerAudio(message),)
        try:
            read = _object(message)
        except UNREADABLE as error:
            read = read_again(message, dict[str, Any], "a WebSocket event", error, started=self._started)
        match read:
            case {"event": "websocket:connected"}:
                return self._start(read)
            case {"event": "websocket:notify", "payload": {"id": mark}}:
                return (MarkReturned(mark_name(mark)),)
            case {"event": "websocket:cleared"}:
                return ()
            case {"event": "websocket:dtmf"}:
                digit = read.get("digit")
                return (key_pressed(read.get("dtmf") if digit is None else digit),)
            case {"event": "websocket:notify"}:
                raise MessageError("websocket:notify without the payload that was sent")
            case {"event": str() as event}:
                return (UnknownMessage(event[:40]),)
            case _:
                raise MessageError("a message without an event")

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry the command; a message of any other length than 20 ms would end the stream."""
        match command:
            case PlayAudio(audio=audio):
                return self._frames(audio)
            case SendMark(name=mark):
                notify = json_text({"action": "notify", "payload": {"id": mark}})
                return (*self._last_frame(), notify)
            case StopPlayback():
                self._part_frame = b""
                return ('{"action":"clear"}',)
            case EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)

    def _start(self, read: Mapping[str, Any]) -> Sequence[PhoneEvent]:
        if self._started:
            raise MessageError("a second websocket:connected on the same stream")
        odd: list[str] = []
        headers = Members({**read, "event": None, "content-type": None}, "websocket:connected", odd).texts()
        content_type = str(read.get("content-type") or "").replace(" ", "").lower()
        audio_format = _FORMATS.get(content_type)
        if audio_format is None:
            raise WireError(f"content-type {content_type[:40]!r} of the NCCO: expected {' or '.join(_FORMATS)}")
        named = read.get("call_uuid")
        call_id = call_of(self._grant.call_id, named if isinstance(named, str) else "")
        self._started = True
        self._frame_bytes = audio_format.bytes_for(TRAITS.playout.frame_ms)
        started = CallStarted(
            call_id=call_id,
            stream_id="",
            audio_format=audio_format,
            playout=TRAITS.playout,
            caller=self._grant.caller or headers.get("from", ""),
            called=self._grant.called or headers.get("to", ""),
            parameters=headers,
        )
        return (started, *map(OddMessage, odd))

    def _frames(self, audio: bytes) -> list[bytes]:
        """Return the whole frames; keep the rest until more comes."""
        audio = self._part_frame + audio if self._part_frame else audio
        size = self._frame_bytes
        whole = len(audio) - len(audio) % size
        self._part_frame = audio[whole:]
        return [audio[start : start + size] for start in range(0, whole, size)]

    def _last_frame(self) -> list[bytes]:
        """Return the kept rest, filled up with silence: a mark confirms all that came before it."""
        missing = -len(self._part_frame) % self._frame_bytes
        return self._frames(bytes(missing)) if missing else []


class Vonage(Provider):
    """The provider Vonage."""

    traits = TRAITS

    def __init__(self, settings: settings.Vonage, setup: Setup) -> None:
        self.name = setup.name
        self._tokens = _Tokens(settings)
        self.webhooks = VonageWebhooks(setup.name, self._tokens, settings.rate_hz)
        if settings.application_id and settings.private_key:
            private_key = read_private_key(settings.private_key.get_secret_value())
            self.commands = VonageCommands(settings.api_url, settings.application_id, private_key, setup.now_s)
        self.pointing = ByApi(Account(setup.name, settings), pointing.find)

    def codec(self, upgrade: Upgrade, grant: Grant) -> VonageCodec:
        """Return a fresh wire for one stream."""
        return VonageCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the JWT that our NCCO asks for. The documents say which key signs it for HS256 alone."""
        if not self._tokens.secrets:
            return Proof.NONE
        token = bearer(upgrade.headers)
        if not token or (alg := algorithm(token)) != "HS256":
            given = f"a JWT signed by {alg[:10]!r}" if token else "no JWT"
            raise UnsignedError(f"the stream has {given}: expected one signed by HS256 with the signature secret")
        self._tokens.read(token, now_s)
        return Proof.PROVIDER  # it proves Vonage, not the call: a token is still needed


class _Tokens:
    """The JWTs that Vonage signs for one application."""

    def __init__(self, settings: settings.Vonage) -> None:
        self.secrets = values_of(settings.signature_secret)
        self._application_id = settings.application_id or ""

    def read(self, token: str, now_s: float) -> Mapping[str, Any]:
        """Return a token's claims. Raises ``SignatureError`` where it is wrong, or another application's."""
        claims = read_hs256(token, self.secrets, now_s)
        given = claims.get("application_id", self._application_id)
        if self._application_id and given != self._application_id:
            raise SignatureError(f"the JWT is of application {str(given)[:40]!r}")
        return claims


class VonageWebhooks(Webhooks):
    """Voice webhooks, answered with NCCOs; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, tokens: _Tokens, rate_hz: int) -> None:
        self._account = account
        self._tokens = tokens
        self._rate_hz = rate_hz

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check a signed webhook's JWT and return its ``jti`` or a hash of it; the query of a GET is not covered."""
        if not self._tokens.secrets:
            raise SignatureError(f"{variable_of(self._account, 'signature_secret')} is not set")
        token = bearer(request.headers)
        if not token:
            raise SignatureError("the bearer JWT is missing: signed webhooks are to be switched on at Vonage")
        claims = self._tokens.read(token, now_s)
        if request.body or request.method != "GET":
            check_payload_hash(claims, request.body)
        return str(claims.get("jti") or hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest())

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call of an answer webhook, or the stream whose end an event reports."""
        fields = _fields(request)
        if status := fields.text("status"):
            if status not in NOT_CONNECTED:
                return Answer(status=204)
            of_call = fields.inside("headers")
            shown = of_call.text("to")
            call_id = of_call.text("call_uuid") or fields.text("uuid")
            return StreamEnded(call_id, shown, lambda after: _following(after, shown))
        call_id = fields.text("uuid")
        if not call_id:
            raise WireError("the webhook names no uuid: expected Vonage's answer webhook, GET or POST")
        return IncomingCall(call_id, fields.text("from"), fields.text("to"))

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the NCCO, with the call's id and numbers, which the stream itself lacks."""
        document = ncco.written(ncco.stream(call, connect, self._rate_hz))
        return Answer(document, "application/json", audio_format=AudioFormat(Encoding.L16, self._rate_hz))

    def refuse(self, call: IncomingCall) -> Answer:
        """Return an NCCO without an action: nothing answers the call, and it ends."""
        return Answer(ncco.written([]), "application/json")

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room with an NCCO that talks and connects; it does not wait."""
        return Answer(ncco.written(ncco.following(follows, call.called)), "application/json")

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what an event reports. An event of the stream's own leg names the call by our NCCO's headers."""
        fields = _fields(request)
        of_stream = fields.inside("headers").text("call_uuid")
        call_id = of_stream or fields.text("uuid")
        status = fields.text("status", "type")
        if not call_id or not status:
            raise WireError(f"the event names no uuid and status: {fields.text('reason')[:200] or 'nor a reason'}")
        failed = bool(of_stream) and status in NOT_CONNECTED
        return (CallStatus(call_id, status, status in ENDED, stream_failed=failed),)


class VonageCommands(CallCommands):
    """Call control. ``now_s`` returns Unix time, which the tokens of the REST API carry."""

    def __init__(
        self, api_url: str, application_id: str, private_key: RSAPrivateKey, now_s: Callable[[], float]
    ) -> None:
        self._calls_url = f"{api_url}/v1/calls"
        self._application_id = application_id
        self._private_key = private_key
        self._now_s = now_s

    def after_stream(self, call_id: str, after: After) -> Requests:
        """Hang up where nothing follows; else the answer to the event of the stream's end says what does."""
        return () if after.say or after.transfer else self.hang_up(call_id)

    def hang_up(self, call_id: str) -> Requests:
        """End the caller's leg (Voice API, "Modify an in-progress call")."""
        return ending([self._put(call_id, "", {"action": "hangup"})])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Replace the call's NCCO by one that connects the target."""
        actions = ncco.following(After(transfer=target))
        return (self._put(call_id, "", {"action": "transfer", "destination": {"type": "ncco", "ncco": actions}}),)

    def send_digits(self, call_id: str, digits: str) -> Requests:
        """Play keys into the caller's leg (Voice API, "Play DTMF tones into a call")."""
        return (self._put(call_id, "/dtmf", {"digits": digits}),)

    def _put(self, call_id: str, path: str, body: dict[str, Any]) -> HttpRequest:
        now = int(self._now_s())
        claims = {"application_id": self._application_id, "iat": now, "exp": now + TOKEN_LIFE_S, "jti": str(uuid4())}
        token = jwt.encode(claims, self._private_key, algorithm="RS256")
        url = f"{self._calls_url}/{segment(call_id)}{path}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return HttpRequest("PUT", url, headers, json_bytes(body))


def _following(after: After, shown: str) -> Answer:
    if not (after.say or after.transfer):
        return Answer(status=204)
    return Answer(ncco.written(ncco.following(after, shown)), "application/json")


def _fields(request: WebhookRequest) -> Members:
    """Return the members of the JSON body, and those of the query that the body lacks."""
    try:
        body = read_object(request.body) if request.body else {}
    except UNREADABLE as error:
        raise WireError(f"the webhook's body is not a JSON object: {error}") from None
    return Members(dict(request.query) | body, "webhook", [])


def make(settings: settings.Vonage, setup: Setup) -> Vonage:
    """Make the provider from its section of ``gateway.yaml``."""
    return Vonage(settings, setup)
