"""Telnyx media streaming: its WebSocket messages. Pure.

Source: Telnyx developer documentation, "Media streaming over WebSockets" and "Stream call media over WebSocket".
"""

from array import array
from collections.abc import Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct
from pybase64 import b64encode_as_string

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat, Encoding
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
from gateway.phone.provider import Grant
from gateway.phone.providers.telnyx.chunk_order import ChunkOrder
from gateway.phone.providers.telnyx.g711_table import A_TO_MU, MU_TO_A
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.json_text import is_callers, key_pressed, mark_name, read_message
from gateway.phone.shared.members import Members
from gateway.phone.whole_samples import WholeSamples

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
"""The custom parameter by which a static document names its ``bidirectionalCodec``, which ``start`` does not echo."""
_OUT = {"PCMU": Encoding.PCMU, "PCMA": Encoding.PCMA, "L16": Encoding.L16}


class _Media(Struct, gc=False):
    payload: bytes | None = None
    track: Any = "inbound"
    chunk: Any = None


class _Message(Struct):
    """A message. All but audio is read member by member, so that an odd member does not end the call."""

    event: str
    stream_id: Any = None
    media: _Media | None = None
    start: Any = None
    dtmf: Any = None
    mark: Any = None
    payload: Any = None


_decoder = msgspec.json.Decoder(_Message)


class TelnyxCodec:
    """The wire of one stream.

    The caller's audio is in what ``start`` says, ours in the codec that our answer asked for, PCMU. Where these are
    different G.711 laws, our audio is converted from the one to the other. ``media`` may come out of order.
    """

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._order = ChunkOrder()
        self._started = False
        self._out_table: bytes | None = None
        self._swaps = False
        self._samples = WholeSamples()
        self._noted: set[str] = set()

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        read = read_message(message, _decoder, "a Telnyx media streaming message", self._started)
        if read.event == "media":
            media = read.media
            if media is None:
                raise MessageError("media without its media member")
            return self._media(media) if media.track == "inbound" or is_callers(media.track) else ()
        return self._decode_rare(read)

    def _media(self, media: _Media) -> Sequence[PhoneEvent]:
        audio = media.payload or b""
        if not self._started:
            return (CallerAudio(audio),)
        chunk, kind = media.chunk, type(media.chunk)
        try:
            number = int(chunk) if kind is str or kind is int else None
        except ValueError:
            number = None
        if number is not None:
            ordered = self._order.take(number, audio)
            return self._in_our_byte_order(ordered) if self._swaps else ordered
        ordered = (*self._order.flush(), CallerAudio(audio))  # it is passed on as it comes
        odd = self._note_once("media.chunk that is no number") if chunk is not None else ()
        return (*odd, *(self._in_our_byte_order(ordered) if self._swaps else ordered))

    def _in_our_byte_order(self, ordered: Sequence[CallerAudio]) -> Sequence[PhoneEvent]:
        """Return the audio in our byte order, in whole samples, which alone can be swapped."""
        whole = tuple(CallerAudio(_swapped(self._samples.join(piece.audio))) for piece in ordered)
        return (*self._note_once("audio that ends in half a sample"), *whole) if self._samples.rest else whole

    def _note_once(self, detail: str) -> Sequence[OddMessage]:
        if detail in self._noted:
            return ()
        self._noted.add(detail)
        return (OddMessage(detail),)

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
                waited = self._order.flush()
                pieces = self._in_our_byte_order(waited) if self._swaps else waited
                return (*pieces, PhoneClosed(PhoneEnd.HUNG_UP))
            case _Message(event="error", payload=dict() as payload):
                error = Members(payload, "payload", [])
                return (UnknownMessage(f"error {error.text('code')} {error.text('title')}"[:40]),)
            case _Message(event="start"):
                raise WireError("start without its start member")
            case _Message(event="mark" | "dtmf"):
                raise MessageError(f"{read.event} without its {read.event} member")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, read: _Message) -> Sequence[PhoneEvent]:
        if self._started:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        start = Members(read.start, "start", odd)
        call_id = _call_of(self._grant.call_id, start)
        if not call_id:
            raise WireError("start without its call_control_id")
        parameters = start.inside("custom_parameters").texts()
        audio_format = _format_of(start.inside("media_format"))
        self._prepare_out(audio_format, parameters.get(OUT_PARAMETER) or "PCMU")
        self._started = True
        started = CallStarted(
            call_id=call_id,
            stream_id=Members({"stream_id": read.stream_id}, "message", odd).text("stream_id"),
            audio_format=audio_format,
            playout=PLAYOUT,
            caller=self._grant.caller or start.text("from"),
            called=self._grant.called or start.text("to"),
            parameters=parameters,
            big_endian=audio_format.encoding is Encoding.L16,
        )
        return (started, *map(OddMessage, odd))

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
        """Return the messages that carry the command; no stream is named in them. Keys go out by the REST API."""
        match command:
            case PlayAudio(audio=audio):
                if self._out_table is not None:
                    audio = audio.translate(self._out_table)
                elif self._swaps:
                    audio = _swapped(audio)
                payload = b64encode_as_string(audio)
                return (f'{{"event":"media","media":{{"payload":"{payload}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"mark","mark":{{"name":"{mark}"}}}}',)
            case StopPlayback():
                return ('{"event":"clear"}',)
            case EndStream() | SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)


def _format_of(media: Members) -> AudioFormat:
    encoding, rate_hz = media.text("encoding"), media.number("sample_rate", 8000)
    channels = media.number("channels", 1)
    audio_format = FORMATS.get((encoding.lower(), rate_hz))
    if audio_format is None or channels != 1:
        raise WireError(
            f"media_format {encoding[:40]!r}, {rate_hz} Hz, {channels} channel(s): set the "
            "connection's codecs at Telnyx to PCMU and PCMA, or stream_codec to PCMU"
        )
    return audio_format


def _call_of(granted: str, start: Members) -> str:
    """Return the id of the call. The stream has the first part of a TeXML id, and the second by another name."""
    call_control_id = start.text("call_control_id")
    call_sid, at, account_sid = granted.rpartition("@")
    if at:
        return texml_call_id(call_of(call_sid, call_control_id), account_sid)
    call_id = call_of(granted, call_control_id)
    return call_id if granted else call_of("", texml_call_id(call_id, start.text("user_id")))


def texml_call_id(call_sid: str, account_sid: str) -> str:
    """Return a TeXML call's id here. Both parts name its REST resource; a Call Control call has no such id."""
    return f"{call_sid}@{account_sid}" if call_sid and account_sid else call_sid


def _swapped(audio: bytes) -> bytes:
    """Swap the bytes of L16, which is in network byte order (RFC 3551 §4.5.11), as RTP payload is."""
    samples = array("h", audio)
    samples.byteswap()
    return samples.tobytes()
