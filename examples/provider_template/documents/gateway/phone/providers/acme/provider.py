"""Acme: its media stream, webhooks and REST API. Pure.

Name here the pages of the vendor's documents that this is written from.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct
from pybase64 import b64encode_as_string

from gateway.audio.formats import PCMU
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import value_of, values_of
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
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    Playout,
    UnknownMessage,
    WireReply,
)
from gateway.phone.pointing import ByHand
from gateway.phone.provider import CallCommands, Confirmation, Grant, Provider, Setup, SignatureError, Traits, Upgrade
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.http_request import bearer, ending, json_request
from gateway.phone.shared.json_text import UNREADABLE, key_pressed, mark_name, read_again, text_of
from gateway.phone.shared.members import Members
from gateway.phone.shared.signed_text import signed_text
from gateway.phone.shared.webhook_body import json_body
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
from gateway.text import json_text

TRAITS = Traits(
    title="Acme",
    formats=(PCMU,),
    playout=Playout(),
    confirmation=Confirmation.MARKS,
    hang_up="REST, or closing the stream",
    transfer="REST",
    signature="HMAC-SHA256 of time and body",
    stream_key="token in the path",
    unsure=True,
)
WINDOW_S = 300
"""The age at which a webhook is refused."""


class _Message(Struct):
    """A message. All but audio is read member by member, so that an odd member does not end the call."""

    type: str
    data: bytes | None = None
    key: Any = None
    name: Any = None
    start: Any = None


_decode = msgspec.json.Decoder(_Message).decode


class AcmeCodec:
    """The wire of one stream."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of one message, and with them what it wants sent at once.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except UNREADABLE as error:
            read = read_again(message, _Message, "a stream message", error, started=self._started)
        match read:
            case _Message(type="audio", data=bytes() as audio):
                return (CallerAudio(audio),)
            case _Message(type="audio"):
                raise MessageError("audio without its data")
            case _Message(type="key"):
                return (key_pressed(read.key),)
            case _Message(type="played"):
                return (MarkReturned(mark_name(read.name)),)
            case _Message(type="start", start=dict()):
                return self._start(read.start)
            case _Message(type="start"):
                raise WireError("start without its member start")
            case _Message(type="stop"):
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case _:
                return (UnknownMessage(read.type[:40]),)

    def _start(self, read: dict[str, Any]) -> Sequence[PhoneEvent | WireReply]:
        if self._started:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        start = Members(read, "start", odd)
        call_id = call_of(self._grant.call_id, start.text("call"))
        if not call_id:
            raise WireError("start without its call")
        codec = start.text("codec")
        if codec != "mulaw/8000":
            raise WireError(f"codec {codec[:40]!r}: expected mulaw/8000, set codec of the stream at Acme")
        self._started = True
        started = CallStarted(
            call_id=call_id,
            stream_id=start.text("stream"),
            audio_format=PCMU,
            playout=TRAITS.playout,
            caller=self._grant.caller or start.text("from"),
            called=self._grant.called or start.text("to"),
            parameters=start.inside("parameters").texts(),
        )
        return (started, *map(OddMessage, odd))

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command: none where the wire has no such message."""
        match command:
            case PlayAudio(audio=audio):
                return (f'{{"type":"audio","data":"{b64encode_as_string(audio)}"}}',)
            case SendMark(name=name):
                return (f'{{"type":"mark","name":{text_of(name)}}}',)
            case StopPlayback():
                return ('{"type":"clear"}',)
            case EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)


class Acme(Provider):
    """The provider Acme."""

    traits = TRAITS
    pointing = ByHand("In the application of the number, enter {answer} as its URL and {status} as its status URL.")

    def __init__(self, settings: settings.Acme, setup: Setup) -> None:
        self.name = setup.name
        self.webhooks = AcmeWebhooks(setup.name, values_of(settings.webhook_secret))
        if settings.api_key:
            self.commands = AcmeCommands(settings.api_url, value_of(settings.api_key))

    def codec(self, upgrade: Upgrade, grant: Grant) -> AcmeCodec:
        """Return a fresh wire for one stream."""
        return AcmeCodec(grant)


class AcmeWebhooks(Webhooks):
    """Webhooks and their answers, both JSON; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, secrets: tuple[str, ...]) -> None:
        self._account = account
        self._secrets = secrets

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``Acme-Signature``: ``<Unix time>.<HMAC-SHA256 of time and body, in hex>``."""
        if not self._secrets:
            raise SignatureError(f"{variable_of(self._account, 'webhook_secret')} is not set")
        time, _, given = request.headers.get("acme-signature", "").partition(".")
        if not time.isascii() or not time.isdecimal() or len(time) > 12:
            raise SignatureError("expected Acme-Signature, with the time first")
        signed = f"{time}.".encode() + request.body
        if signed_text([given], [signed], self._secrets, _sign) is None:
            raise SignatureError("Acme-Signature is wrong")
        if abs(now_s - int(time)) > WINDOW_S:
            raise SignatureError(f"the webhook is {abs(now_s - int(time)):.0f} s off: expected at most {WINDOW_S}")
        return hashlib.sha256(signed).hexdigest()

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call that is announced, or the stream that has ended."""
        event = _event(request)
        if request.asks_what_follows:
            return StreamEnded(event.text("call"), event.text("to"), _following)
        if event.text("event") == "incoming":
            return IncomingCall(event.text("call"), event.text("from"), event.text("to"))
        return Answer(status=204)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the steps: the stream, then the question what follows, then what follows where that fails."""
        then = [{"ask": connect.then_url}] if connect.then_url else []
        return _answer({"stream": connect.stream_url}, *then, *_steps(connect.on_failure))

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy."""
        return _answer({"reject": "busy"})

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a status callback reports; ``ended`` is the last."""
        event = _event(request)
        return (CallStatus(event.text("call"), event.text("event"), event.text("event") == "ended"),)


class AcmeCommands(CallCommands):
    """The REST API, with the account's key."""

    def __init__(self, api_url: str, api_key: str) -> None:
        self._api_url = api_url
        self._bearer = bearer(api_key)

    def hang_up(self, call_id: str) -> Requests:
        """End the call."""
        return ending([HttpRequest("DELETE", self._url(call_id), {"Authorization": self._bearer})])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Connect the caller with a number or a SIP address; the stream then stops."""
        return (json_request(f"{self._url(call_id)}/transfer", {"to": target}, self._bearer),)

    def _url(self, call_id: str) -> str:
        return f"{self._api_url}/calls/{segment(call_id)}"


def _sign(secret: str, text: bytes) -> str:
    return hmac.digest(secret.encode(), text, hashlib.sha256).hex()


def _following(after: After) -> Answer:
    return _answer(*_steps(after))


def _steps(after: After) -> list[dict[str, str]]:
    said = [{"say": after.say} | ({"language": after.language} if after.language else {})] if after.say else []
    return [*said, *([{"dial": after.transfer}] if after.transfer else []), {"hang_up": "done"}]


def _answer(*steps: dict[str, str]) -> Answer:
    return Answer(json_text(steps), "application/json")


def _event(request: WebhookRequest) -> Members:
    event = json_body(request)
    if not event.text("event") or not event.text("call"):
        raise WireError("the webhook names no event and call: expected Acme's, by POST")
    return event


def make(settings: settings.Acme, setup: Setup) -> Acme:
    """Make the provider from its section of ``gateway.yaml``."""
    return Acme(settings, setup)
