"""Bandwidth Programmable Voice: its media streams, BXML, webhooks and call control. Pure.

dev.bandwidth.com, "Start Stream", "Stop Stream", "Transfer", "Webhooks", "Calls API"; package pipecat-bandwidth.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pybase64 import b64encode_as_string

from gateway.addresses import is_sip
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
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    Playout,
    UnknownMessage,
)
from gateway.phone.pointing import ByHand
from gateway.phone.provider import CallCommands, Confirmation, Grant, Provider, Setup, SignatureError, Traits, Upgrade
from gateway.phone.requests import Requests, Steps, in_order
from gateway.phone.shared.access_token import access_token
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.http_request import (
    basic,
    bearer,
    check_basic,
    ending,
    form_request,
    json_request,
)
from gateway.phone.shared.json_text import is_callers, read_message
from gateway.phone.shared.members import Members
from gateway.phone.shared.webhook_body import json_body
from gateway.phone.shared.xml_document import document, element
from gateway.phone.waiting import PAUSE_S, Wait
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

TRAITS = Traits(
    title="Bandwidth",
    formats=(PCMU,),
    playout=Playout(returns_marks=False, marks_return_at_once=False),
    confirmation=Confirmation.CLOCK,
    keys_in=False,
    hang_up="REST, or closing the stream",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="Basic credentials",
    stream_key="token in the path",
    unsure=True,
)
STREAM = "gateway"
"""The stream's name, by which the verb after it waits for its end."""
ENDED = "disconnect"
"""``eventType`` of the webhook that ends a call."""


class _Message(Struct):
    """A message. All but audio is read member by member, so that an odd member does not end the call."""

    event_type: str = msgspec.field(name="eventType")
    payload: bytes | None = None
    track: Any = "inbound"
    metadata: Any = None
    stream_params: Any = msgspec.field(name="streamParams", default=None)


_decoder = msgspec.json.Decoder(_Message)


class BandwidthCodec:
    """The wire of one stream. It reports neither what was played nor the caller's keys."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        read = read_message(message, _decoder, "a stream message", self._started)
        match read:
            case _Message(event_type="media", payload=bytes() as audio):
                return (CallerAudio(audio),) if read.track == "inbound" or is_callers(read.track) else ()
            case _Message(event_type="start", metadata=dict()):
                return self._start(read)
            case _Message(event_type="stop"):
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case _Message(event_type="start"):
                raise WireError("start without its metadata")
            case _Message(event_type="media"):
                raise MessageError("media without its payload")
            case _:
                return (UnknownMessage(read.event_type[:40]),)

    def _start(self, read: _Message) -> Sequence[PhoneEvent]:
        if self._started:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        metadata = Members(read.metadata, "metadata", odd)
        call_id = call_of(self._grant.call_id, metadata.text("callId"))
        if not call_id:
            raise WireError("start without its callId")
        _check_tracks(metadata, odd)
        self._started = True
        parameters = Members(read.stream_params, "streamParams", odd).texts()
        started = CallStarted(
            call_id=call_id,
            stream_id=metadata.text("streamId"),
            audio_format=PCMU,
            playout=TRAITS.playout,
            caller=self._grant.caller or parameters.get("from", ""),
            called=self._grant.called or parameters.get("to", ""),
            parameters=parameters,
        )
        return (started, *map(OddMessage, odd))

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command."""
        match command:
            case PlayAudio(audio=audio):
                payload = b64encode_as_string(audio)
                return (f'{{"eventType":"playAudio","media":{{"contentType":"audio/pcmu","payload":"{payload}"}}}}',)
            case StopPlayback():
                return ('{"eventType":"clear"}',)
            case SendMark() | EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)


def _check_tracks(metadata: Members, odd: list[str]) -> None:
    """Refuse a stream that says it brings another track than the caller's, or the caller in another format."""
    tracks = metadata.each("tracks")
    of_caller = [track for track in tracks if track.text("name") in ("inbound", "")]
    if tracks and not of_caller:
        raise WireError('no inbound track: expected tracks="inbound" in <StartStream>')
    media = of_caller[0].inside("mediaFormat") if of_caller else Members({}, "mediaFormat", odd)
    encoding, rate_hz = media.text("encoding") or "PCMU", media.number("sampleRate", 8000)
    if encoding.lower() not in ("pcmu", "audio/pcmu") or rate_hz != 8000:
        raise WireError(f"mediaFormat {encoding[:40]!r}, {rate_hz} Hz: expected PCMU, 8000 Hz")


class Bandwidth(Provider):
    """The provider Bandwidth."""

    traits = TRAITS
    pointing = ByHand(
        "In the voice application, enter {answer} as call-initiated callback and {status} as status callback."
    )

    def __init__(self, settings: settings.Bandwidth, setup: Setup) -> None:
        self.name = setup.name
        users, passwords = values_of(settings.webhook_user), values_of(settings.webhook_password)
        self.webhooks = BandwidthWebhooks(setup.name, users, passwords)
        if settings.account_id and settings.client_id and settings.client_secret:
            self.commands = BandwidthCommands(settings, setup.answer_url)

    def codec(self, upgrade: Upgrade, grant: Grant) -> BandwidthCodec:
        """Return a fresh wire for one stream."""
        return BandwidthCodec(grant)


class BandwidthWebhooks(Webhooks):
    """Webhooks that are JSON, answered with BXML; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, users: tuple[str, ...], passwords: tuple[str, ...]) -> None:
        self._account = account
        self._users = users
        self._passwords = passwords

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check the Basic credentials of the application's webhooks; a replay or a change is not noticed."""
        if not self._users or not self._passwords:
            user, password = (variable_of(self._account, key) for key in ("webhook_user", "webhook_password"))
            raise SignatureError(f"{user} or {password} is not set")
        check_basic(
            request.headers.get("authorization", ""),
            self._passwords,
            self._users,
            missing="expected Basic credentials: they are to be entered in the voice application",
            wrong="the webhook's user or password is wrong",
        )
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call of an ``initiate`` or ``answer`` webhook, the stream that has ended, or a transfer's BXML."""
        event = _event(request)
        target = next((value for name, value in request.query if name == "transfer"), "")
        if target:
            return _answer(_transfer(target))
        if request.asks_what_follows and event.text("eventType") != ENDED:
            return StreamEnded(event.text("callId"), event.text("to"), _following)
        if event.text("eventType") in ("initiate", "answer", "redirect"):
            return IncomingCall(event.text("callId"), event.text("from"), event.text("to"))
        return Answer(status=204)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return BXML with the stream and a verb that waits for its end.

        The stream alone does not keep the call: without the wait, the next verb would be carried out at once. After
        the wait Bandwidth asks ``then_url``. What the line wants after a failure follows, for where that fails.
        """
        stream = {"mode": "bidirectional", "tracks": "inbound", "destination": connect.stream_url}
        url = connect.then_url
        then = [element("Redirect", attributes={"redirectUrl": url, "redirectMethod": "POST"})] if url else []
        answer = _answer(
            element("StartStream", attributes={"name": STREAM, **stream}),
            element("StopStream", attributes={"name": STREAM, "wait": "true"}),
            *then,
            *_verbs(connect.on_failure),
            element("Hangup"),
        )
        return replace(answer, audio_format=PCMU)

    def refuse(self, call: IncomingCall) -> Answer:
        """Hang up: a call that is not answered yet is rejected so (BXML ``<Hangup>``)."""
        return _answer(element("Hangup"))

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room with BXML; Bandwidth asks again by ``redirect``."""
        if wait is None:
            return _following(follows)
        pause = element("Pause", attributes={"duration": str(PAUSE_S)})
        music = element("PlayAudio", text=wait.music) if wait.music else pause
        again = element("Redirect", attributes={"redirectUrl": wait.url, "redirectMethod": "POST"})
        return _answer(*_verbs(follows), music, again)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what any of the call's webhooks reports; ``disconnect`` is the last."""
        event = _event(request)
        kind = event.text("eventType")
        return (CallStatus(event.text("callId"), kind, kind == ENDED),)


class BandwidthCommands(CallCommands):
    """Call control. Bandwidth asks ``answer_url``, our ``/answer/bandwidth``, whom a transferred call is for.

    Each command first fetches a token (OAuth 2.0, client credentials).
    """

    def __init__(self, settings: settings.Bandwidth, answer_url: str) -> None:
        self._api_url = settings.api_url
        self._account_id = settings.account_id or ""
        credentials = basic(settings.client_id or "", value_of(settings.client_secret))
        form = {"grant_type": "client_credentials"}
        self._token = form_request(settings.token_url, form, credentials, repeatable=True)
        self._answer_url = answer_url

    def hang_up(self, call_id: str) -> Requests:
        """End the call ("Calls API", update call)."""
        return self._update(call_id, {"state": "completed"}, is_end=True)

    def transfer(self, call_id: str, target: str) -> Requests:
        """Send the call on to a document that dials; none without ``answer_url``."""
        if not self._answer_url:
            return ()
        return self.redirect(call_id, f"{self._answer_url}?{urlencode({'transfer': target})}")

    def redirect(self, call_id: str, url: str) -> Requests:
        """Send the call on to the document of ``url``."""
        return self._update(call_id, {"state": "active", "redirectUrl": url, "redirectMethod": "POST"})

    def _update(self, call_id: str, body: Mapping[str, str], *, is_end: bool = False) -> Steps[None]:
        url = f"{self._api_url}/api/v2/accounts/{segment(self._account_id)}/calls/{segment(call_id)}"
        token = yield from access_token(self._token)
        request = json_request(url, body, bearer(token))
        yield from in_order(ending([request]) if is_end else [request])


def _following(after: After) -> Answer:
    return _answer(*_verbs(after), element("Hangup"))


def _verbs(after: After) -> Iterator[Element]:
    if after.say:
        locale = {"locale": after.language.replace("-", "_")} if after.language else None
        yield element("SpeakSentence", text=after.say, attributes=locale)
    if after.transfer:
        yield _transfer(after.transfer)


def _transfer(target: str) -> Element:
    return element("Transfer", element("SipUri" if is_sip(target) else "PhoneNumber", text=target))


def _answer(*verbs: Element) -> Answer:
    return Answer(document(*verbs), "application/xml")


def _event(request: WebhookRequest) -> Members:
    """Return the webhook's JSON, which names an ``eventType`` and a ``callId``."""
    event = json_body(request)
    if not event.text("eventType") or not event.text("callId"):
        raise WireError("the webhook names no eventType and callId: expected Bandwidth's, by POST")
    return event


def make(settings: settings.Bandwidth, setup: Setup) -> Bandwidth:
    """Make the provider from its section of ``gateway.yaml``."""
    return Bandwidth(settings, setup)
