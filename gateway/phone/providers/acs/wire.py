"""The wire of Azure Communication Services' media streaming (Microsoft Learn, "Audio streaming"). Pure."""

from collections.abc import Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct
from pybase64 import b64encode_as_string

from gateway.audio.formats import L16_16K, L16_24K, AudioFormat
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
from gateway.phone.events import CallerAudio, CallStarted, OddMessage, PhoneEvent, Playout, UnknownMessage
from gateway.phone.provider import Grant
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.json_text import key_pressed, read_message
from gateway.phone.shared.members import Members

PLAYOUT = Playout(returns_marks=False, marks_return_at_once=False)

_FORMATS: dict[int, AudioFormat] = {16000: L16_16K, 24000: L16_24K}


class _Audio(Struct, gc=False):
    data: bytes | None = None
    silent: Any = None


class _Message(Struct):
    """A message. All but audio is read member by member, so that an odd member does not end the call."""

    kind: str
    audio: _Audio | None = msgspec.field(name="audioData", default=None)
    metadata: Any = msgspec.field(name="audioMetadata", default=None)
    dtmf: Any = msgspec.field(name="dtmfData", default=None)


_decoder = msgspec.json.Decoder(_Message)


class AcsCodec:
    """The wire of one stream. It ends by the socket's close alone, and nothing on it reports what was played.

    ``named`` is the id of the call in the unsigned headers of the upgrade, ``connected`` the one that ACS returned when
    the call was answered.
    """

    def __init__(self, grant: Grant, named: str, connected: str = "") -> None:
        self._grant = grant
        self._connected = connected
        self._named = named
        self._format: AudioFormat | None = None

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        read = read_message(message, _decoder, "a media streaming message", self._format is not None)
        match read:
            case _Message(kind="AudioData", audio=_Audio() as audio):
                return (CallerAudio(self._data_of(audio)),)
            case _Message(kind="AudioMetadata", metadata=dict() as metadata):
                return self._start(metadata)
            case _Message(kind="DtmfData", dtmf=dict() as dtmf):
                return (key_pressed(dtmf.get("data")),)
            case _Message(kind="AudioMetadata"):
                raise WireError("AudioMetadata without its audioMetadata member")
            case _Message(kind="AudioData" | "DtmfData"):
                raise MessageError(f"{read.kind} without its {read.kind[0].lower()}{read.kind[1:]} member")
            case _:
                return (UnknownMessage(read.kind[:40]),)

    def _data_of(self, audio: _Audio) -> bytes:
        """Return a frame's audio, of silent frames zeros: turn detection counts time by the audio it is given."""
        data = audio.data or b""
        return bytes(len(data)) if audio.silent is True else data

    def _start(self, read: dict[str, Any]) -> Sequence[PhoneEvent]:
        if self._format is not None:
            raise MessageError("a second AudioMetadata on the same stream")
        odd: list[str] = []
        metadata = Members(read, "audioMetadata", odd)
        encoding, rate_hz = metadata.text("encoding") or "PCM", metadata.number("sampleRate", 0)
        channels = metadata.number("channels", 1)
        audio_format = _FORMATS.get(rate_hz)
        if encoding.upper() != "PCM" or audio_format is None or channels != 1:
            raise WireError(
                f"AudioMetadata {encoding[:20]!r}, {rate_hz} Hz, {channels} channel(s): "
                "expected PCM, mono; set audioFormat of the mediaStreamingOptions to pcm24KMono or pcm16KMono"
            )
        call_id = call_of(self._connected, self._named) or self._grant.call_id
        self._format = audio_format
        started = CallStarted(
            call_id=call_id,
            stream_id=metadata.text("subscriptionId"),
            audio_format=audio_format,
            playout=PLAYOUT,
            caller=self._grant.caller,
            called=self._grant.called,
        )
        return (started, *map(OddMessage, odd))

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command, spelled as in Microsoft's samples."""
        match command:
            case PlayAudio(audio=audio):
                data = b64encode_as_string(audio)
                return (f'{{"Kind":"AudioData","AudioData":{{"Data":"{data}"}},"StopAudio":null}}',)
            case StopPlayback():
                return ('{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}',)
            case SendMark() | EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)
