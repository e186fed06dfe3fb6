"""Bandwidth Programmable Voice: its media streams, BXML, webhooks and call control. Pure.

dev.bandwidth.com, "Start Stream", "Stop Stream", "Transfer", "Webhooks", "Calls API"; package pipecat-bandwidth.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import msgspec
from msgspec import Struct
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
from gateway.phone.provider import (
    After,
    Answer,
    CallStatus,
    Confirmation,
    Connect,
    Grant,
    HttpRequest,
    IncomingCall,
    Proof,
    Setup,
    SignatureError,
    StreamEnded,
    Traits,
    Upgrade,
    WebhookRequest,
)
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.http_request import basic, basic_credentials, ending, form_request, is_one_of
from gateway.phone.shared.json_text import UNREADABLE, is_callers, read_again, read_object
from gateway.phone.shared.members import Members
from gateway.phone.shared.xml_document import document, element
from gateway.text import json_bytes

TRAITS = Traits(
    title="Bandwidth",
    formats=(PCMU,),
    playout=Playout(returns_marks=False, marks_return_at_once=False),
    confirmation=Confirmation.CLOCK,
    keys_in=False,
    hang_up="REST, or closing the stream",
    transfer="REST",
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


_decode = msgspec.json.Decoder(_Message).decode


class BandwidthCodec:
    """The wire of one stream. It reports neither what was played nor the caller's keys."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except UNREADABLE as error:
            read = read_again(message, _Message, "a stream message", error, started=self._started)
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


class Bandwidth:
    """The provider Bandwidth. It asks ``answer_url``, our ``/answer/bandwidth``, whom a transferred call is for."""

    name = "bandwidth"
    traits = TRAITS
    subprotocols = ()

    def __init__(self, settings: settings.Bandwidth, answer_url: str = "") -> None:
        self._account_id = settings.account_id or ""
        self._client_id = settings.client_id or ""
        self._client_secret = value_of(settings.client_secret)
        self._webhook_users = values_of(settings.webhook_user)
        self._webhook_passwords = values_of(settings.webhook_password)
        self._api_url = settings.api_url
        self._token_url = settings.token_url
        self._answer_url = answer_url

    def codec(self, upgrade: Upgrade, grant: Grant) -> BandwidthCodec:
        """Return a fresh wire for one stream."""
        return BandwidthCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Return ``Proof.NONE``: Bandwidth sends no proof but what our document gave it."""
        return Proof.NONE

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check the Basic credentials of the application's webhooks; a replay or a change is not noticed."""
        if not self._webhook_users or not self._webhook_passwords:
            raise SignatureError(
                f"{variable_of(self.name, 'webhook_user')} or {variable_of(self.name, 'webhook_password')} is not set"
            )
        credentials = basic_credentials(request.headers.get("authorization", ""))
        if credentials is None:
            raise SignatureError("expected Basic credentials: they are to be entered in the voice application")
        right = [is_one_of(credentials[0], self._webhook_users), is_one_of(credentials[1], self._webhook_passwords)]
        if not all(right):
            raise SignatureError("the webhook's user or password is wrong")
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call of an ``initiate`` or ``answer`` webhook, the stream that has ended, or a transfer's BXML."""
        event = _event(request)
        target = next((value for name, value in request.query if name == "transfer"), "")
        if target:
            return _answer(_transfer(target))
        if request.asks_what_follows and event.text("eventType") != ENDED:
            return StreamEnded(event.text("callId"), event.text("to"), _following)
        if event.text("eventType") in ("initiate", "answer"):
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
        return _answer(
            element("StartStream", attributes={"name": STREAM, **stream}),
            element("StopStream", attributes={"name": STREAM, "wait": "true"}),
            *then,
            *_verbs(connect.on_failure),
            element("Hangup"),
        )

    def refuse(self, call: IncomingCall) -> Answer:
        """Hang up: a call that is not answered yet is rejected so (BXML ``<Hangup>``)."""
        return _answer(element("Hangup"))

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what any of the call's webhooks reports; ``disconnect`` is the last."""
        event = _event(request)
        kind = event.text("eventType")
        return (CallStatus(event.text("callId"), kind, kind == ENDED),)

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Return nothing: the provider asks what follows."""
        return ()

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """End the call ("Calls API", update call)."""
        return ending(self._update(call_id, {"state": "completed"}))

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Send the call on to a document that dials; none without ``answer_url``."""
        if not self._answer_url:
            return ()
        url = f"{self._answer_url}?{urlencode({'transfer': target})}"
        return self._update(call_id, {"state": "active", "redirectUrl": url, "redirectMethod": "POST"})

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Return nothing: only BXML can dial digits, and it would end the wait for the stream."""
        return ()

    def _update(self, call_id: str, body: Mapping[str, str]) -> Sequence[HttpRequest]:
        if not self._account_id or not self._client_id or not self._client_secret:
            return ()
        account, call = segment(self._account_id), segment(call_id)
        credentials = basic(self._client_id, self._client_secret)
        token = form_request(self._token_url, {"grant_type": "client_credentials"}, credentials, repeatable=True)
        url = f"{self._api_url}/api/v2/accounts/{account}/calls/{call}"
        headers = {"Content-Type": "application/json"}
        return (HttpRequest("POST", url, headers, json_bytes(body), authorize=token),)


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
    try:
        event = Members(read_object(request.body), "webhook", [])
    except UNREADABLE as error:
        raise WireError(f"the webhook's body is not a JSON object: {error}") from None
    if not event.text("eventType") or not event.text("callId"):
        raise WireError("the webhook names no eventType and callId: expected Bandwidth's, by POST")
    return event


def make(settings: settings.Bandwidth, setup: Setup) -> Bandwidth:
    """Make the provider from its section of ``gateway.yaml``."""
    return Bandwidth(settings, setup.answer_url)
