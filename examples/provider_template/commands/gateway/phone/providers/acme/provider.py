"""Acme: its media stream, webhooks and REST API. Pure.

Name here the pages of the vendor's documents that this is written from.
"""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from gateway.audio.formats import L16_16K
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
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    Playout,
    UnknownMessage,
    WireReply,
)
from gateway.phone.pointing import ByHand
from gateway.phone.provider import (
    CallCommands,
    Confirmation,
    Grant,
    Provider,
    Setup,
    SignatureError,
    StartProof,
    Traits,
    Upgrade,
)
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.http_request import bearer, ending, is_one_of, json_request
from gateway.phone.shared.json_text import UNREADABLE, key_pressed, read_again
from gateway.phone.shared.members import Members
from gateway.phone.shared.webhook_body import json_body
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest, Webhooks

TRAITS = Traits(
    title="Acme",
    formats=(L16_16K,),
    playout=Playout(returns_marks=False, marks_return_at_once=False),
    confirmation=Confirmation.CLOCK,
    hang_up="REST",
    transfer="REST",
    says_after=False,
    signature="secret in the address",
    stream_key="token in the first message",
    unsure=True,
)


class _Message(Struct):
    """A text message. It is read member by member, so that an odd member does not end the call."""

    event: str
    call: Any = None
    rate: Any = None
    data: Any = None
    key: Any = None


_decode = msgspec.json.Decoder(_Message).decode


class AcmeCodec:
    """The wire of one stream: events are text, audio is binary."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of one message, and with them what it wants sent at once.

        Raises ``WireError`` for non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        if isinstance(message, bytes):
            return (CallerAudio(message),)
        try:
            read = _decode(message)
        except UNREADABLE as error:
            read = read_again(message, _Message, "a stream message", error, started=self._started)
        match read.event:
            case "start":
                return self._start(read)
            case "key":
                return (key_pressed(read.key),)
            case "stop":
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, read: _Message) -> Sequence[PhoneEvent | WireReply]:
        if self._started:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        start = Members({"call": read.call, "rate": read.rate, "data": read.data}, "start", odd)
        call_id = call_of(self._grant.call_id, start.text("call"))
        if not call_id:  # a start that names no call: hand its id on beside the token
            raise WireError("start without its call")
        rate = start.text("rate")
        if rate != "16000":
            raise WireError(f"rate {rate[:40]!r}: expected 16000, set the rate of the stream configuration at Acme")
        self._started = True
        started = CallStarted(
            call_id=call_id,
            stream_id="",
            audio_format=L16_16K,
            playout=TRAITS.playout,
            caller=self._grant.caller,
            called=self._grant.called,
            parameters=start.inside("data").texts(),
        )
        return (started, *map(OddMessage, odd))

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry the command: none where the wire has no such message."""
        match command:
            case PlayAudio(audio=audio):
                return (audio,) if audio else ()
            case StopPlayback():
                return ('{"command":"clear"}',)
            case SendMark() | EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)


class Acme(Provider):
    """The provider Acme."""

    traits = TRAITS
    pointing = ByHand(
        "Enter {answer}?secret=YOUR_WEBHOOK_SECRET as the address of all events, and {stream} as that of the stream "
        "configuration."
    )

    def __init__(self, settings: settings.Acme, setup: Setup) -> None:
        self.name = setup.name
        commands = None
        if settings.api_key and settings.stream_config:
            commands = AcmeCommands(settings.api_url, value_of(settings.api_key), settings.stream_config)
        self.commands = commands
        self.webhooks = AcmeWebhooks(setup.name, values_of(settings.webhook_secret), commands)

    def codec(self, upgrade: Upgrade, grant: Grant) -> AcmeCodec:
        """Return a fresh wire for one stream."""
        return AcmeCodec(grant)

    def verify_start(self, start: CallStarted, now_s: float) -> StartProof:
        """Return the token that the command to connect handed on."""
        return StartProof(token=start.parameters.get("token", ""))


class AcmeWebhooks(Webhooks):
    """Events of calls, all at one address; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, secrets: tuple[str, ...], commands: "AcmeCommands | None") -> None:
        self._account = account
        self._secrets = secrets
        self._commands = commands

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check the secret in the address. Acme signs nothing, so a change of the body is not noticed."""
        if not self._secrets:
            raise SignatureError(f"{variable_of(self._account, 'webhook_secret')} is not set")
        if not is_one_of(dict(request.query).get("secret", ""), self._secrets):
            raise SignatureError("the secret in the webhook's address is missing or wrong")
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | Answer:
        """Return the call that is announced; the other events are those of ``status``."""
        event = _event(request)
        if event.text("event") == "received":
            return IncomingCall(event.text("call"), event.text("from"), event.text("to"))
        return Answer(status=204)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the commands that answer the call and connect it to its stream; where one is refused, hang up."""
        if self._commands is None:
            raise WireError(f"a call is answered by commands: set {variable_of(self._account, 'api_key')}")
        connecting = self._commands.connect(call.call_id, connect.token)
        return Answer(status=204, requests=connecting, otherwise=self._commands.hang_up(call.call_id))

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy."""
        return Answer(status=204, requests=self._commands.reject(call.call_id) if self._commands else ())

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what an event reports; ``ended`` is the last."""
        event = _event(request)
        kind = event.text("event")
        return (CallStatus(event.text("call"), kind, kind == "ended", stream_failed=kind == "stream_failed"),)


class AcmeCommands(CallCommands):
    """The REST API, with the account's key."""

    def __init__(self, api_url: str, api_key: str, stream_config: str) -> None:
        self._api_url = api_url
        self._bearer = bearer(api_key)
        self._stream_config = stream_config

    def connect(self, call_id: str, token: str) -> Requests:
        """Answer a call, and have its stream opened, whose first message brings the token."""
        stream = {"config": self._stream_config, "data": {"token": token}}
        return (self._command(call_id, "answer", {}), self._command(call_id, "stream", stream))

    def reject(self, call_id: str) -> Requests:
        """Reject a call as busy."""
        return ending([self._command(call_id, "reject", {"cause": "busy"})])

    def hang_up(self, call_id: str) -> Requests:
        """End the call."""
        return ending([self._command(call_id, "hangup", {})])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Connect the caller with a number or a SIP address; the stream then stops."""
        return (self._command(call_id, "transfer", {"to": target}),)

    def after_stream(self, call_id: str, after: After) -> Requests:
        """Transfer or hang up a call, which goes on when its stream has ended. Acme says no words."""
        return self.transfer(call_id, after.transfer) if after.transfer else self.hang_up(call_id)

    def _command(self, call_id: str, action: str, body: Mapping[str, object]) -> HttpRequest:
        return json_request(f"{self._api_url}/calls/{segment(call_id)}/{action}", body, self._bearer)


def _event(request: WebhookRequest) -> Members:
    event = json_body(request)
    if not event.text("event") or not event.text("call"):
        raise WireError("the webhook names no event and call: expected Acme's, by POST")
    return event


def make(settings: settings.Acme, setup: Setup) -> Acme:
    """Make the provider from its section of ``gateway.yaml``."""
    return Acme(settings, setup)
