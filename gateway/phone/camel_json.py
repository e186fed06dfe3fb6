"""The JSON wire that Twilio coined and others speak: camelCase members, base64 audio, ``streamSid`` in what goes out.

Source: Twilio Media Streams, WebSocket messages (twilio.com/docs/voice/media-streams/websocket-messages). Pure.
"""

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec
from msgspec import Struct

from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.errors import WireError
from gateway.phone.commands import (
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
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    Playout,
    UnknownMessage,
)
from gateway.phone.json_text import UNREADABLE, key_pressed, text_of
from gateway.phone.provider import Grant

Formats = Mapping[tuple[str, int], AudioFormat]
"""What ``mediaFormat`` may say: encoding (lower case) and rate."""
G711: Formats = {("audio/x-mulaw", 8000): PCMU, ("audio/x-alaw", 8000): PCMA}


class _MediaFormat(Struct):
    encoding: str
    sample_rate: int = msgspec.field(name="sampleRate", default=8000)
    channels: int = 1


class _Start(Struct):
    call_sid: str = msgspec.field(name="callSid")
    media_format: _MediaFormat = msgspec.field(name="mediaFormat")
    stream_sid: str = msgspec.field(name="streamSid", default="")
    custom_parameters: dict[str, str] | None = msgspec.field(name="customParameters", default=None)
    caller: str | None = msgspec.field(name="from", default=None)
    """Twilio itself tells no numbers; some of its kin do."""
    called: str | None = msgspec.field(name="to", default=None)
    session: str | None = None
    """Cloudonix: what its REST API knows the call by."""


class _Media(Struct, gc=False):
    payload: bytes
    track: str = "inbound"


class _Dtmf(Struct):
    digit: str


class _Mark(Struct):
    name: str


class _Message(Struct):
    event: str
    stream_sid: str = msgspec.field(name="streamSid", default="")
    media: _Media | None = None
    start: _Start | None = None
    dtmf: _Dtmf | None = None
    mark: _Mark | None = None


_decode = msgspec.json.Decoder(_Message).decode


class CamelJsonCodec:
    """The wire of one stream; base64 is decoded by the JSON reader, in the same pass.

    ``advice`` ends the refusal of a format that is not among ``formats``: what to set at the provider.
    """

    def __init__(
        self, grant: Grant, playout: Playout, formats: Formats = G711, *, advice: str, sends_digits: bool = False
    ) -> None:
        self._grant = grant
        self._playout = playout
        self._formats = formats
        self._advice = advice
        self._sends_digits = sends_digits
        self._stream_sid = ""
        self._media_head = ""
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Events of one message; ``WireError`` for binary, non-JSON, missing members or media before ``start``."""
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except UNREADABLE as error:
            raise WireError(f"not a Media Streams message: {error}") from None
        if read.event == "media":
            if not self._started:
                raise WireError("media before start")
            if read.media is None:
                raise WireError("media without its media member")
            return (CallerAudio(read.media.payload),) if read.media.track == "inbound" else ()
        return self._decode_rare(read)

    def _decode_rare(self, read: _Message) -> Sequence[PhoneEvent]:
        match read:
            case _Message(event="connected"):
                return ()
            case _Message(event="start", start=_Start() as start) if stream_sid := read.stream_sid or start.stream_sid:
                return (self._start(start, stream_sid),)
            case _Message(event="mark", mark=_Mark(name=mark)):
                return (MarkReturned(mark),)
            case _Message(event="dtmf", dtmf=_Dtmf(digit=digit)):
                return (key_pressed(digit),)
            case _Message(event="stop"):
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case _Message(event="start" | "mark" | "dtmf"):
                raise WireError(f"{read.event} without its {read.event} member or streamSid")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, start: _Start, stream_sid: str) -> CallStarted:
        if self._started:
            raise WireError("a second start on the same stream")
        media = start.media_format
        audio_format = self._formats.get((media.encoding.lower(), media.sample_rate))
        if audio_format is None or media.channels != 1:
            found = f"{media.encoding[:40]!r}, {media.sample_rate} Hz, {media.channels} channel(s)"
            raise WireError(f"mediaFormat {found}: {self._advice}")
        self._started = True
        self._stream_sid = text_of(stream_sid)
        self._media_head = f'{{"event":"media","streamSid":{self._stream_sid},"media":{{"payload":"'
        parameters = start.custom_parameters or {}
        return CallStarted(
            call_id=self._grant.call_id or start.session or start.call_sid,
            stream_id=stream_sid,
            audio_format=audio_format,
            playout=self._playout,
            caller=self._grant.caller or parameters.get("from") or start.caller or "",
            called=self._grant.called or parameters.get("to") or start.called or "",
            parameters=parameters,
        )

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Messages that carry the command; Twilio ignores messages with a member too few or too many (31951)."""
        match command:
            case PlayAudio(audio=audio):
                return (f'{self._media_head}{b2a_base64(audio, newline=False).decode("ascii")}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"mark","streamSid":{self._stream_sid},"mark":{{"name":"{mark}"}}}}',)
            case StopPlayback():
                return (f'{{"event":"clear","streamSid":{self._stream_sid}}}',)
            case SendDigits(digits=digits):
                return tuple(self._digit(digit) for digit in digits) if self._sends_digits else ()
            case EndStream() | TransferCall():
                return ()
            case _:
                assert_never(command)

    def _digit(self, digit: str) -> str:
        return f'{{"event":"dtmf","streamSid":{self._stream_sid},"dtmf":{{"digit":{text_of(digit)}}}}}'
