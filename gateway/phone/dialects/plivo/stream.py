"""Plivo's wire: JSON text whose marks are checkpoints, confirmed only when played.

Plivo, Audio Streaming, "Stream events"; plivo-stream-sdk-python, types. Pure.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct
from pybase64 import b64encode_as_string

from gateway.audio.formats import L16_8K, L16_16K, PCMU, AudioFormat
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
    PhoneEvent,
    Playout,
    UnknownMessage,
)
from gateway.phone.provider import Grant
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.json_text import UNREADABLE, is_callers, key_pressed, mark_name, read_message, text_of
from gateway.phone.shared.members import Members

FORMATS = (PCMU, L16_8K, L16_16K)
"""The formats of a stream; linear samples are assumed to be little-endian, as all users of this wire do."""

_ENCODINGS: dict[tuple[str, int], AudioFormat] = {
    ("audio/x-mulaw", 8000): PCMU,
    ("audio/x-l16", 8000): L16_8K,
    ("audio/x-l16", 16000): L16_16K,
}


class _Media(Struct, gc=False):
    payload: bytes | None = None
    track: Any = "inbound"


class _Message(Struct):
    """A message. All but audio is read member by member, so that an odd member does not end the call."""

    event: str
    media: _Media | None = None
    start: Any = None
    dtmf: Any = None
    name: Any = None
    extra_headers: Any = None


_decoder = msgspec.json.Decoder(_Message)


class CheckpointCodec:
    """The wire of one stream. With ``names_stream``, ``playAudio`` carries the stream's id, as checkpoints do.

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
        """The format that the start message announced."""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        read = read_message(message, _decoder, "a stream event", self._started)
        if read.event == "media":
            media = read.media
            if media is None:
                raise MessageError("media without its media member")
            return (CallerAudio(media.payload or b""),) if media.track == "inbound" or is_callers(media.track) else ()
        return self._decode_rare(read)

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command."""
        match command:
            case PlayAudio(audio=audio):
                return (f'{self._play_head}{b64encode_as_string(audio)}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"checkpoint","streamId":{self.stream_id},"name":{text_of(mark)}}}',)
            case StopPlayback():
                return (f'{{"event":"clearAudio","streamId":{self.stream_id}}}',)
            case EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)

    def _decode_rare(self, read: _Message) -> Sequence[PhoneEvent]:
        match read:
            case _Message(event="start", start=dict()):
                return self._start(read)
            case _Message(event="playedStream", name=mark):
                return (MarkReturned(mark_name(mark)),)
            case _Message(event="clearedAudio"):
                return ()
            case _Message(event="dtmf", dtmf=dict() as dtmf):
                return (key_pressed(dtmf),)
            case _Message(event="start"):
                raise WireError("start without its start member")
            case _Message(event="dtmf"):
                raise MessageError("dtmf without its dtmf member")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, read: _Message) -> Sequence[PhoneEvent]:
        if self._started:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        start = Members(read.start, "start", odd)
        call_id, stream_id = call_of(self._grant.call_id, start.text("callId")), start.text("streamId")
        if not call_id or not stream_id:
            raise WireError("start without a callId or streamId")
        media = start.inside("mediaFormat")
        encoding, rate = media.text("encoding").lower(), media.number("sampleRate", 8000)
        audio_format = _ENCODINGS.get((encoding, rate))
        if audio_format is None:
            raise WireError(
                f"mediaFormat {encoding[:40]!r} at {rate} Hz: expected one of the <Stream> element's contentType "
                + ", ".join(f"{known};rate={hz}" for known, hz in _ENCODINGS)
            )
        self._started = True
        self.audio_format = audio_format
        self.stream_id = text_of(stream_id)
        stream = f'"streamId":{self.stream_id},' if self._names_stream else ""
        self._play_head = (
            f'{{"event":"playAudio",{stream}"media":{{"contentType":"{encoding}","sampleRate":{rate},"payload":"'
        )
        parameters = _parameters(read.extra_headers, odd)
        started = CallStarted(
            call_id=call_id,
            stream_id=stream_id,
            audio_format=audio_format,
            playout=self._playout,
            caller=self._grant.caller or parameters.get("from", ""),
            called=self._grant.called or parameters.get("to", ""),
            parameters=parameters,
        )
        return (started, *map(OddMessage, odd))


def _parameters(read: object, odd: list[str]) -> dict[str, str]:
    """Return what ``extraHeaders`` carried: ``k=v;k=v`` by the documentation, JSON in a string by the SDK."""
    if isinstance(read, str) and read.startswith("{"):
        try:
            read = msgspec.json.decode(read)
        except UNREADABLE:
            odd.append("extra_headers begins like JSON and is none: left out")
            return {}
    if not isinstance(read, str):
        return Members(read, "extra_headers", odd).texts()
    pairs = (item.partition("=") for item in read.replace(",", ";").split(";"))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}
