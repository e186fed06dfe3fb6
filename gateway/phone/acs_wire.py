"""The wire of Azure Communication Services' media streaming (Microsoft Learn, "Audio streaming"). Pure."""

from binascii import b2a_base64
from collections.abc import Sequence
from typing import assert_never

import msgspec
from msgspec import Struct

from gateway.audio.formats import L16_16K, L16_24K, AudioFormat
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
from gateway.phone.events import CallerAudio, CallStarted, PhoneEvent, Playout, UnknownMessage
from gateway.phone.json_text import UNREADABLE, key_pressed
from gateway.phone.provider import Grant

PLAYOUT = Playout(returns_marks=False, marks_return_at_once=False)

_FORMATS: dict[int, AudioFormat] = {16000: L16_16K, 24000: L16_24K}


class _Metadata(Struct):
    encoding: str
    sample_rate: int = msgspec.field(name="sampleRate")
    channels: int
    subscription_id: str = msgspec.field(name="subscriptionId", default="")


class _Audio(Struct, gc=False):
    data: bytes
    silent: bool | None = None


class _Dtmf(Struct):
    data: str


class _Message(Struct):
    kind: str
    audio: _Audio | None = msgspec.field(name="audioData", default=None)
    metadata: _Metadata | None = msgspec.field(name="audioMetadata", default=None)
    dtmf: _Dtmf | None = msgspec.field(name="dtmfData", default=None)


_decode = msgspec.json.Decoder(_Message).decode


class AcsCodec:
    """The wire of one stream. It ends by the socket's close alone, and nothing on it tells what was played."""

    def __init__(self, grant: Grant, connection_id: str) -> None:
        self._grant = grant
        self._call_id = connection_id or grant.call_id
        self._format: AudioFormat | None = None

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Events of one message; ``WireError`` for binary, non-JSON, missing members, audio before its metadata."""
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except UNREADABLE as error:
            raise WireError(f"not a media streaming message: {error}") from None
        match read:
            case _Message(kind="AudioData", audio=_Audio() as audio):
                return (CallerAudio(self._heard(audio)),)
            case _Message(kind="AudioMetadata", metadata=_Metadata() as metadata):
                return (self._start(metadata),)
            case _Message(kind="DtmfData", dtmf=_Dtmf(data=digit)):
                return (key_pressed(digit.upper()),)
            case _Message(kind="AudioData" | "AudioMetadata" | "DtmfData"):
                raise WireError(f"{read.kind} without its {read.kind[0].lower()}{read.kind[1:]} member")
            case _:
                return (UnknownMessage(read.kind[:40]),)

    def _heard(self, audio: _Audio) -> bytes:
        """Silent frames too, as zeros: turn detection counts time by the audio it is given."""
        if self._format is None:
            raise WireError("AudioData before AudioMetadata")
        if len(audio.data) % 2:
            raise WireError(f"AudioData of {len(audio.data)} bytes: expected whole 16-bit samples")
        return bytes(len(audio.data)) if audio.silent else audio.data

    def _start(self, metadata: _Metadata) -> CallStarted:
        if self._format is not None:
            raise WireError("a second AudioMetadata on the same stream")
        audio_format = _FORMATS.get(metadata.sample_rate)
        if metadata.encoding.upper() != "PCM" or audio_format is None or metadata.channels != 1:
            raise WireError(
                f"AudioMetadata {metadata.encoding[:20]!r}, {metadata.sample_rate} Hz, {metadata.channels} channel(s): "
                "expected PCM, mono; set audioFormat of the mediaStreamingOptions to pcm24KMono or pcm16KMono"
            )
        self._format = audio_format
        return CallStarted(
            call_id=self._call_id,
            stream_id=metadata.subscription_id,
            audio_format=audio_format,
            playout=PLAYOUT,
            caller=self._grant.caller,
            called=self._grant.called,
        )

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Messages that carry the command, spelled as in Microsoft's samples."""
        match command:
            case PlayAudio(audio=audio):
                data = b2a_base64(audio, newline=False).decode("ascii")
                return (f'{{"Kind":"AudioData","AudioData":{{"Data":"{data}"}},"StopAudio":null}}',)
            case StopPlayback():
                return ('{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}',)
            case SendMark() | EndStream() | SendDigits() | TransferCall():
                return ()
            case _:
                assert_never(command)
