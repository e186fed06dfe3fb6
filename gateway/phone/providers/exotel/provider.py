"""Exotel AgentStream, the Voicebot applet: its wire and its dynamic endpoint. Pure.

Source: Exotel developer documentation, AgentStream; support articles 3000108630 and 3000132302; exotel/Agent-Stream.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct
from pybase64 import b64encode_as_string

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import values_of
from gateway.errors import MessageError, WireError
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
)
from gateway.phone.pointing import ByHand
from gateway.phone.provider import Confirmation, Grant, Proof, Provider, Setup, SignatureError, Traits, Upgrade
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.http_request import check_basic
from gateway.phone.shared.json_text import is_callers, key_pressed, mark_name, read_message, text_of
from gateway.phone.shared.members import Members
from gateway.phone.webhook import Answer, CallStatus, Connect, IncomingCall, WebhookRequest, Webhooks

SMALLEST = 3200
"""Bytes of a message; shorter ones are played with gaps, as are those that are no multiple of ``STEP``."""
STEP = 320
_LINEAR = {8000: L16_8K, 16000: L16_16K, 24000: L16_24K}
_LINEAR_NAMES = frozenset({"audio/x-raw", "audio/l16", "audio/x-l16", "raw/slin", "base64"})
"""Names seen for 16-bit linear, little-endian; the documents do not agree."""
_DEFAULT_NAME = "audio/x-raw"
_G711 = {"audio/x-mulaw": PCMU, "audio/x-alaw": PCMA}


def playout_of(audio_format: AudioFormat) -> Playout:
    """Return the playout: pieces of at least ``SMALLEST`` bytes and whole ``STEP``, three of them ahead."""
    frame_ms = 20
    while (size := audio_format.bytes_for(frame_ms)) < SMALLEST or size % STEP:
        frame_ms += 20
    return Playout(frame_ms=frame_ms, lead_ms=3 * frame_ms, refill_ms=frame_ms)


TRAITS = Traits(
    title="Exotel",
    formats=(L16_8K, L16_16K, L16_24K, PCMU, PCMA),
    playout=playout_of(L16_8K),
    confirmation=Confirmation.MARKS,
    hang_up="closing the stream",
    says_after=False,
    transfers_after=False,
    signature="Basic credentials, where the applet's address carries them",
    stream_key="Basic credentials, or token in the path",
    reconnects=1,
    unsure=True,
)
ENDED = frozenset({"completed", "failed", "busy", "no-answer", "canceled"})


class _Media(Struct, gc=False):
    payload: bytes | None = None
    track: Any = "inbound"


class _Message(Struct):
    """A message. All but audio is read member by member, so that an odd member does not end the call."""

    event: str
    stream_sid: Any = None
    camel_stream_sid: Any = msgspec.field(name="streamSid", default=None)
    media: _Media | None = None
    start: Any = None
    dtmf: Any = None
    mark: Any = None


_decoder = msgspec.json.Decoder(_Message)


class ExotelCodec:
    """The wire of one stream.

    The documents spell the stream's id ``stream_sid``; the vendor's sample ``streamSid``, with numbers in ``media``
    without which some streams ended early: both are read and sent.
    """

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._head = ""
        self._format: AudioFormat | None = None
        self._sent_messages = 0
        self._sent_bytes = 0

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        read = read_message(message, _decoder, "an AgentStream message", self._format is not None)
        if read.event == "media":
            media = read.media
            if media is None:
                raise MessageError("media without its media member")
            return (CallerAudio(media.payload or b""),) if media.track == "inbound" or is_callers(media.track) else ()
        return self._decode_rare(read)

    def _decode_rare(self, read: _Message) -> Sequence[PhoneEvent]:
        match read:
            case _Message(event="connected"):
                return ()
            case _Message(event="start", start=dict()):
                return self._start(read)
            case _Message(event="mark", mark=dict() as mark):
                return (MarkReturned(mark_name(mark)),)
            case _Message(event="dtmf", dtmf=dict() as dtmf):
                return (key_pressed(dtmf),)
            case _Message(event="stop"):
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case _Message(event="start"):
                raise WireError("start without its start member")
            case _Message(event="mark" | "dtmf"):
                raise MessageError(f"{read.event} without its {read.event} member")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, read: _Message) -> Sequence[PhoneEvent]:
        if self._format is not None:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        start = Members(read.start, "start", odd)
        message = Members({"stream_sid": read.stream_sid, "streamSid": read.camel_stream_sid}, "message", odd)
        stream_sid = message.text("stream_sid", "streamSid") or start.text("stream_sid", "streamSid")
        call_id = call_of(self._grant.call_id, start.text("call_sid", "callSid"))
        if not stream_sid or not call_id:
            raise WireError("start without its stream_sid or call_sid")
        self._format = _format_of(start.inside("media_format"))
        quoted = text_of(stream_sid)
        self._head = f'"stream_sid":{quoted},"streamSid":{quoted}'
        started = CallStarted(
            call_id=call_id,
            stream_id=stream_sid,
            audio_format=self._format,
            playout=playout_of(self._format),
            caller=self._grant.caller or start.text("from"),
            called=self._grant.called or start.text("to"),
            parameters=start.inside("custom_parameters").texts(),
        )
        return (started, *map(OddMessage, odd))

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command; the sizes that Exotel wants are those of the playout's frames."""
        match command:
            case PlayAudio(audio=audio):
                return (self._media(audio),)
            case SendMark(name=mark):
                return (f'{{"event":"mark",{self._head},"mark":{{"name":"{mark}"}}}}',)
            case StopPlayback():
                return (f'{{"event":"clear",{self._head}}}',)
            case EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)

    def _media(self, audio: bytes) -> str:
        payload = b64encode_as_string(audio)
        timestamp_ms = int(self._format.duration_ms(self._sent_bytes)) if self._format else 0
        self._sent_messages += 1
        self._sent_bytes += len(audio)
        number = self._sent_messages
        return (
            f'{{"event":"media",{self._head},"media":{{"chunk":"{number}","timestamp":"{timestamp_ms}",'
            f'"sequenceNumber":"{number}","payload":"{payload}"}}}}'
        )


def _format_of(media: Members) -> AudioFormat:
    encoding = media.text("encoding").partition(";")[0].strip().lower() or _DEFAULT_NAME
    rate_hz = media.number("sample_rate", 8000)
    audio_format = _G711.get(encoding) if rate_hz == 8000 else None
    if encoding in _LINEAR_NAMES:
        audio_format = _LINEAR.get(rate_hz)
    if audio_format is None:
        raise WireError(
            f"media_format {encoding[:40]!r}, {rate_hz} Hz: expected 16-bit linear at 8000, 16000 or 24000 Hz, "
            "or G.711; set sample-rate in the applet's address, or contentType of <StartStream>"
        )
    return audio_format


class Exotel(Provider):
    """The provider Exotel. Only closing the stream lets the flow go on to its next applet, which says what follows."""

    traits = TRAITS
    pointing = ByHand("In the Voicebot applet, enter {answer} as the URL, or {stream} with credentials.")

    def __init__(self, settings: settings.Exotel, setup: Setup) -> None:
        self.name = setup.name
        self._credentials = _Credentials(setup.name, values_of(settings.stream_secret))
        self.webhooks = ExotelWebhooks(self._credentials)

    def codec(self, upgrade: Upgrade, grant: Grant) -> ExotelCodec:
        """Return a fresh wire for one stream."""
        return ExotelCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the Basic credentials of the applet's address: any user, the stream secret as password."""
        given = upgrade.headers.get("authorization", "")
        if not given or not self._credentials.are_set:
            return Proof.NONE
        self._credentials.check(given)
        return Proof.STREAM


class _Credentials:
    """The Basic credentials in the applet's address: any user, the stream secret as password."""

    def __init__(self, account: str, secrets: tuple[str, ...]) -> None:
        self.variable = variable_of(account, "stream_secret")
        self._secrets = secrets

    @property
    def are_set(self) -> bool:
        return bool(self._secrets)

    def check(self, authorization: str) -> None:
        """Raise ``SignatureError`` where a header has none, or wrong ones."""
        missing = "expected Basic credentials: put them into the address that Exotel is given"
        check_basic(authorization, self._secrets, missing=missing, wrong=f"the password is not {self.variable}")


class ExotelWebhooks(Webhooks):
    """The dynamic endpoint of the Voicebot applet, and status callbacks."""

    def __init__(self, credentials: _Credentials) -> None:
        self._credentials = credentials

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check the same Basic credentials. Exotel signs nothing, so a replay or a change is not noticed."""
        if not self._credentials.are_set:
            raise SignatureError(f"{self._credentials.variable} is not set")
        self._credentials.check(request.headers.get("authorization", ""))
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall:
        """Return the call for which the applet asks an address."""
        call_id = request.field("CallSid")
        if not call_id:
            raise WireError("the request names no CallSid: expected that of a Voicebot applet")
        caller = request.field("CallFrom") or request.field("From")
        called = request.field("CallTo") or request.field("To")
        return IncomingCall(call_id, caller, called)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the stream's address. What follows the stream is the flow's next applet."""
        return Answer(f'{{"url":{text_of(connect.stream_url)}}}', "application/json")

    def refuse(self, call: IncomingCall) -> Answer:
        """Give no address: the flow goes on to its next applet."""
        return Answer(status=503)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a status callback reports, of a call that was made by the API."""
        call_id, status = request.field("CallSid"), request.field("Status")
        if not call_id or not status:
            raise WireError("the callback names no CallSid and Status")
        return (CallStatus(call_id, status, status in ENDED),)


def make(settings: settings.Exotel, setup: Setup) -> Exotel:
    """Make the provider from its section of ``gateway.yaml``."""
    return Exotel(settings, setup)
