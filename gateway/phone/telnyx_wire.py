"""Telnyx media streaming: its WebSocket messages. Pure.

Source: Telnyx developer documentation, "Media streaming over WebSockets" and "Stream call media over WebSocket".
"""

from array import array
from binascii import b2a_base64
from collections.abc import Sequence
from typing import assert_never

import msgspec
from msgspec import Struct

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat, Encoding
from gateway.errors import WireError
from gateway.phone.chunk_order import ChunkOrder
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
from gateway.phone.g711_table import A_TO_MU, MU_TO_A
from gateway.phone.json_text import UNREADABLE, key_pressed
from gateway.phone.provider import Grant

PLAYOUT = Playout()
FORMATS: dict[tuple[str, int], AudioFormat] = {
    ("pcmu", 8000): PCMU,
    ("audio/x-mulaw", 8000): PCMU,
    ("pcma", 8000): PCMA,
    ("audio/x-alaw", 8000): PCMA,
    ("l16", 8000): L16_8K,
    ("l16", 16000): L16_16K,
    ("l16", 24000): L16_24K,
}
OUT_PARAMETER = "bidirectional_codec"
"""The custom parameter by which a static document tells its ``bidirectionalCodec``, which ``start`` does not echo."""
_OUT = {"PCMU": Encoding.PCMU, "PCMA": Encoding.PCMA, "L16": Encoding.L16}


class _MediaFormat(Struct):
    encoding: str
    sample_rate: int = 8000
    channels: int = 1


class _Start(Struct):
    call_control_id: str
    media_format: _MediaFormat
    user_id: str | None = None
    caller: str | None = msgspec.field(name="from", default=None)
    called: str | None = msgspec.field(name="to", default=None)
    custom_parameters: dict[str, str] | None = None


class _Media(Struct, gc=False):
    payload: bytes
    track: str = "inbound"
    chunk: str | int = ""


class _Dtmf(Struct):
    digit: str


class _Mark(Struct):
    name: str


class _Error(Struct):
    code: int | str = ""
    title: str = ""


class _Message(Struct):
    event: str
    stream_id: str = ""
    media: _Media | None = None
    start: _Start | None = None
    dtmf: _Dtmf | None = None
    mark: _Mark | None = None
    payload: _Error | None = None


_decode = msgspec.json.Decoder(_Message).decode


class TelnyxCodec:
    """The wire of one stream.

    The caller's audio is in what ``start`` says, ours in the codec that our answer asked for, PCMU. Where these are
    different G.711 laws, our audio is put from the one into the other. ``media`` may come out of order.
    """

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._order = ChunkOrder()
        self._started = False
        self._out_table: bytes | None = None
        self._swaps = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Events of one message; ``WireError`` for binary, non-JSON, missing members or media before ``start``."""
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except UNREADABLE as error:
            raise WireError(f"not a Telnyx media streaming message: {error}") from None
        if read.event == "media":
            if not self._started:
                raise WireError("media before start")
            if read.media is None:
                raise WireError("media without its media member")
            return self._media(read.media) if read.media.track == "inbound" else ()
        return self._decode_rare(read)

    def _media(self, media: _Media) -> Sequence[PhoneEvent]:
        audio = _swapped(media.payload) if self._swaps else media.payload
        if media.chunk == "":
            return (CallerAudio(audio),)
        try:
            return self._order.take(int(media.chunk), audio)
        except ValueError:
            raise WireError(f"media.chunk {str(media.chunk)[:20]!r} is not a number") from None

    def _decode_rare(self, read: _Message) -> Sequence[PhoneEvent]:
        match read:
            case _Message(event="connected"):
                return ()
            case _Message(event="start", start=_Start() as start):
                return (self._start(start, read.stream_id),)
            case _Message(event="mark", mark=_Mark(name=mark)):
                return (MarkReturned(mark),)
            case _Message(event="dtmf", dtmf=_Dtmf(digit=digit)):
                return (key_pressed(digit),)
            case _Message(event="stop"):
                return (*self._order.flush(), PhoneClosed(PhoneEnd.HUNG_UP))
            case _Message(event="error", payload=_Error(code=code, title=title)):
                return (UnknownMessage(f"error {code} {title}"[:40]),)
            case _Message(event="start" | "mark" | "dtmf"):
                raise WireError(f"{read.event} without its {read.event} member")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, start: _Start, stream_id: str) -> CallStarted:
        if self._started:
            raise WireError("a second start on the same stream")
        parameters = start.custom_parameters or {}
        audio_format = _format_of(start.media_format)
        self._prepare_out(audio_format, parameters.get(OUT_PARAMETER, "PCMU"))
        self._started = True
        return CallStarted(
            call_id=self._grant.call_id or texml_call_id(start.call_control_id, start.user_id or ""),
            stream_id=stream_id,
            audio_format=audio_format,
            playout=PLAYOUT,
            caller=self._grant.caller or start.caller or "",
            called=self._grant.called or start.called or "",
            parameters=parameters,
        )

    def _prepare_out(self, audio_format: AudioFormat, out_codec: str) -> None:
        out = _OUT.get(out_codec.upper())
        encoding = audio_format.encoding
        if out is None or (out is not encoding and Encoding.L16 in (out, encoding)):
            raise WireError(
                f"{OUT_PARAMETER} {out_codec[:20]!r} with a caller in {audio_format}: expected PCMU or PCMA with a "
                "caller in G.711, L16 with a caller in L16; set bidirectionalCodec and the parameter to one of them"
            )
        self._swaps = encoding is Encoding.L16
        if out is not encoding:
            self._out_table = A_TO_MU if encoding is Encoding.PCMA else MU_TO_A

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Messages that carry the command; no stream is named in them. Keys go out by the REST API."""
        match command:
            case PlayAudio(audio=audio):
                if self._out_table is not None:
                    audio = audio.translate(self._out_table)
                elif self._swaps:
                    audio = _swapped(audio)
                payload = b2a_base64(audio, newline=False).decode("ascii")
                return (f'{{"event":"media","media":{{"payload":"{payload}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"mark","mark":{{"name":"{mark}"}}}}',)
            case StopPlayback():
                return ('{"event":"clear"}',)
            case EndStream() | SendDigits() | TransferCall():
                return ()
            case _:
                assert_never(command)


def _format_of(media: _MediaFormat) -> AudioFormat:
    audio_format = FORMATS.get((media.encoding.lower(), media.sample_rate))
    if audio_format is None or media.channels != 1:
        raise WireError(
            f"media_format {media.encoding[:40]!r}, {media.sample_rate} Hz, {media.channels} channel(s): set the "
            "connection's codecs at Telnyx to PCMU and PCMA, or stream_codec to PCMU"
        )
    return audio_format


def texml_call_id(call_sid: str, account_sid: str) -> str:
    """A TeXML call's id here: its REST resource is named by both, and a Call Control call has no such id."""
    return f"{call_sid}@{account_sid}" if account_sid else call_sid


def _swapped(audio: bytes) -> bytes:
    """L16 is in network byte order (RFC 3551 §4.5.11), as RTP payload is."""
    if len(audio) % 2:
        raise WireError(f"a payload of L16 with {len(audio)} bytes ends in half a sample")
    samples = array("h", audio)
    samples.byteswap()
    return samples.tobytes()
