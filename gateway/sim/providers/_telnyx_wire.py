"""Telnyx' end of a media stream.

Source: Telnyx developer documentation, "Media streaming over WebSockets", "Stream call media over WebSocket".
"""

import base64
import json
from array import array
from collections.abc import Mapping, Sequence

import msgspec

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat, Encoding
from gateway.sim.phone.wire import Clear, Mark, Media, Message, Order, Send, SimCall, StreamOpening, Violated, Wire

ACCOUNT_SID = "3e6f995f-85f7-4705-9741-53b116d28237"
CODECS: Mapping[tuple[str, int], AudioFormat] = {
    ("PCMU", 8000): PCMU,
    ("PCMA", 8000): PCMA,
    ("L16", 8000): L16_8K,
    ("L16", 16000): L16_16K,
    ("L16", 24000): L16_24K,
}
"""The audio that the gateway may ask to play in mode rtp, as far as the phone can play it; L16 in network order."""
OUT_OF_ORDER = "out_of_order"
"""A quirk: every tenth frame of the caller's audio changes places with the next; no order is promised."""
SHORTEST_MS, LONGEST_MS = 20, 30_000
"""The audio in a message of the gateway, in mode rtp."""
MALFORMED, INVALID_MEDIA = 100003, 100004
TITLES = {MALFORMED: "malformed_frame", INVALID_MEDIA: "invalid_media"}


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    payload: bytes


class _Name(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class _Media(msgspec.Struct, tag_field="event", tag="media", forbid_unknown_fields=True):
    media: _Payload


class _Mark(msgspec.Struct, tag_field="event", tag="mark", forbid_unknown_fields=True):
    mark: _Name


class _Clear(msgspec.Struct, tag_field="event", tag="clear", forbid_unknown_fields=True):
    pass


_MESSAGES = msgspec.json.Decoder(_Media | _Mark | _Clear)


class TelnyxWire(Wire):
    """The messages of one stream, with the stream's id in all that comes and none in what goes."""

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._sequence = 0
        self._chunk = 0
        self._held: str | None = None

    def opening(self) -> Sequence[str]:
        """Return connected, and start with both numbers and the leg's own codec; that of playback is not reported."""
        start: dict[str, object] = {
            **self._call,
            "call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f",
            "from": self.call.from_,
            "to": self.call.to,
            "tags": [],
            "client_state": None,
            "media_format": {
                "encoding": self.audio_format.encoding.value.upper(),
                "sample_rate": self.audio_format.rate_hz,
                "channels": 1,
            },
        }
        if self.stream.parameters:
            start["custom_parameters"] = dict(self.stream.parameters)
        return ('{"event":"connected","version":"1.0.0"}', self._numbered("start", start=start))

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return a frame of the caller's audio; see :data:`OUT_OF_ORDER`."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(timestamp_ms),
            "payload": base64.b64encode(_network_order(audio, self.audio_format)).decode(),
        }
        message = self._numbered("media", media=media)
        if OUT_OF_ORDER in self.call.quirks and self._chunk % 10 == 0:
            self._held = message
            return ()
        held, self._held = self._held, None
        return (message,) if held is None else (message, held)

    def key(self, digit: str) -> Sequence[str]:
        """Return a dtmf message."""
        return (self._numbered("dtmf", occurred_at="2025-06-05T08:54:19.698408Z", dtmf={"digit": digit}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return the mark, whether its audio was played or cleared."""
        return (self._numbered("mark", mark={"name": name}),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        return (self._numbered("stop", stop=self._call),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse media, mark and clear; for anything else an error is sent back."""
        if isinstance(message, bytes):
            return self._refuse(MALFORMED, f"a binary message of {len(message)} bytes; expected text")
        try:
            read: _Media | _Mark | _Clear = _MESSAGES.decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            return self._refuse(MALFORMED, f"{error}: {message[:120]!r}")
        match read:
            case _Media():
                return self._play(read.media.payload)
            case _Mark():
                return (Mark(read.mark.name),)
            case _Clear():
                return (Clear(),)

    def _play(self, audio: bytes) -> Sequence[Order]:
        duration_ms = self.bot_format.duration_ms(len(audio))
        if not SHORTEST_MS <= duration_ms <= LONGEST_MS:
            return self._refuse(INVALID_MEDIA, f"{duration_ms:g} ms of audio; expected {SHORTEST_MS} ms to 30 s")
        if len(audio) % self.bot_format.sample_bytes:
            return self._refuse(INVALID_MEDIA, f"{len(audio)} bytes of audio end in half a sample")
        return (Media(_network_order(audio, self.bot_format)),)

    def _refuse(self, code: int, detail: str) -> Sequence[Order]:
        payload = {"code": code, "title": TITLES[code], "detail": detail}
        error = {"event": "error", "payload": payload, "stream_id": self.call.stream_id}
        return (Violated(detail, code), Send((json.dumps(error, separators=(",", ":")),)))

    @property
    def _call(self) -> dict[str, object]:
        return {"user_id": ACCOUNT_SID, "call_control_id": self.call.call_id}

    def _numbered(self, event: str, **body: object) -> str:
        self._sequence += 1
        message = {
            "event": event,
            "sequence_number": str(self._sequence),
            **body,
            "stream_id": self.call.stream_id,
        }
        return json.dumps(message, separators=(",", ":"))


def _network_order(audio: bytes, audio_format: AudioFormat) -> bytes:
    if audio_format.encoding is not Encoding.L16:
        return audio
    samples = array("h", audio)
    samples.byteswap()
    return samples.tobytes()
