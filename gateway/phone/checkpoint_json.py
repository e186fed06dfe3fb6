"""The wire of Plivo and its kin: JSON text whose marks are checkpoints, confirmed only when played.

Plivo, Audio Streaming, "Stream events"; plivo-stream-sdk-python, types. Pure.
"""

from binascii import b2a_base64
from collections.abc import Sequence
from typing import assert_never

import msgspec
from msgspec import Struct

from gateway.audio.formats import L16_8K, L16_16K, PCMU, AudioFormat
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
    PhoneEvent,
    Playout,
    UnknownMessage,
)
from gateway.phone.json_text import UNREADABLE, key_pressed, text_of
from gateway.phone.provider import Grant

FORMATS = (PCMU, L16_8K, L16_16K)
"""What a stream may carry; linear samples are taken as little-endian, as everybody who speaks this wire does."""

_ENCODINGS: dict[tuple[str, str], AudioFormat] = {
    ("audio/x-mulaw", "8000"): PCMU,
    ("audio/x-l16", "8000"): L16_8K,
    ("audio/x-l16", "16000"): L16_16K,
}


class _MediaFormat(Struct):
    encoding: str
    sample_rate: int | str = msgspec.field(name="sampleRate", default=8000)


class _Start(Struct):
    call_id: str = msgspec.field(name="callId")
    stream_id: str = msgspec.field(name="streamId")
    media_format: _MediaFormat = msgspec.field(name="mediaFormat")


class _Media(Struct, gc=False):
    payload: bytes
    track: str = "inbound"


class _Dtmf(Struct):
    digit: str


class _Message(Struct):
    event: str
    media: _Media | None = None
    start: _Start | None = None
    dtmf: _Dtmf | None = None
    name: str | None = None
    extra_headers: msgspec.Raw = msgspec.Raw(b'""')


_decode = msgspec.json.Decoder(_Message).decode


class CheckpointCodec:
    """The wire of one stream. ``names_stream``: whether ``playAudio`` carries the stream's id, as checkpoints do.

    There is no message at the end: the socket just closes. ``clearedAudio`` gives no event: checkpoints that a clear
    discards are never confirmed.
    """

    def __init__(self, grant: Grant, playout: Playout, *, names_stream: bool) -> None:
        self._grant = grant
        self._playout = playout
        self._names_stream = names_stream
        self._started = False
        self._play_head = ""
        self.stream_id = '""'
        """The stream's id as JSON."""
        self.audio_format = PCMU
        """What the start message announced."""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Events of one message; ``WireError`` for binary, non-JSON, missing members or media before ``start``."""
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except UNREADABLE as error:
            raise WireError(f"not a stream event: {error}") from None
        if read.event == "media":
            if not self._started:
                raise WireError("media before start")
            if read.media is None:
                raise WireError("media without its media member")
            return (CallerAudio(read.media.payload),) if read.media.track == "inbound" else ()
        return self._decode_rare(read)

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Messages that carry the command."""
        match command:
            case PlayAudio(audio=audio):
                return (f'{self._play_head}{b2a_base64(audio, newline=False).decode("ascii")}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"checkpoint","streamId":{self.stream_id},"name":{text_of(mark)}}}',)
            case StopPlayback():
                return (f'{{"event":"clearAudio","streamId":{self.stream_id}}}',)
            case EndStream() | SendDigits() | TransferCall():
                return ()
            case _:
                assert_never(command)

    def _decode_rare(self, read: _Message) -> Sequence[PhoneEvent]:
        match read:
            case _Message(event="start", start=_Start() as start):
                return (self._start(start, _parameters(read.extra_headers)),)
            case _Message(event="playedStream", name=str() as mark):
                return (MarkReturned(mark),)
            case _Message(event="clearedAudio"):
                return ()
            case _Message(event="dtmf", dtmf=_Dtmf(digit=digit)):
                return (key_pressed(digit),)
            case _Message(event="start" | "dtmf" | "playedStream" as event):
                raise WireError(f"{event} without its {'name' if event == 'playedStream' else event} member")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, start: _Start, parameters: dict[str, str]) -> CallStarted:
        if self._started:
            raise WireError("a second start on the same stream")
        if not start.call_id or not start.stream_id:
            raise WireError("start without a callId or streamId")
        encoding, rate = start.media_format.encoding, str(start.media_format.sample_rate)
        audio_format = _ENCODINGS.get((encoding, rate))
        if audio_format is None:
            raise WireError(
                f"mediaFormat {encoding[:40]!r} at {rate[:8]} Hz: expected one of the <Stream> element's contentType "
                + ", ".join(f"{known};rate={hz}" for known, hz in _ENCODINGS)
            )
        self._started = True
        self.audio_format = audio_format
        self.stream_id = text_of(start.stream_id)
        stream = f'"streamId":{self.stream_id},' if self._names_stream else ""
        self._play_head = (
            f'{{"event":"playAudio",{stream}"media":{{"contentType":"{encoding}","sampleRate":{rate},"payload":"'
        )
        return CallStarted(
            call_id=start.call_id,
            stream_id=start.stream_id,
            audio_format=audio_format,
            playout=self._playout,
            caller=self._grant.caller or parameters.get("from", ""),
            called=self._grant.called or parameters.get("to", ""),
            parameters=parameters,
        )


def _parameters(extra_headers: msgspec.Raw) -> dict[str, str]:
    """What ``extraHeaders`` carried: ``k=v;k=v`` by the documentation, JSON in a string by the SDK."""
    read: object = msgspec.json.decode(extra_headers)
    if isinstance(read, str) and read.startswith("{"):
        try:
            read = msgspec.json.decode(read)
        except UNREADABLE:
            return {}
    if isinstance(read, dict):
        return {key: value for key, value in read.items() if isinstance(value, str)}
    if not isinstance(read, str):
        return {}
    pairs = (item.partition("=") for item in read.replace(",", ";").split(";"))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}
