"""Asterisk's end of a call, chan_websocket: audio in the channel's codec, control in words or in JSON, its queue.

Source: docs.asterisk.org, "Channel Drivers: WebSocket"; asterisk/asterisk, channels/chan_websocket.c.
"""

import base64
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU
from gateway.errors import WireError
from gateway.sim.phone.webhook import SimProvider, Webhook, stream_beside
from gateway.sim.phone.wire import (
    Clear,
    Close,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    Pause,
    Send,
    SimCall,
    StreamOpening,
    Violated,
    Wire,
)

SUBPROTOCOL = "media"
OWN_TIMING = ("passthrough", "unbuffered")
"""Dial options by which the gateway has to frame and time what it sends: nothing waits in a queue."""
CODECS = {PCMU: "ulaw", PCMA: "alaw", L16_8K: "slin", L16_16K: "slin16", L16_24K: "slin24"}
MESSAGE_LIMIT = 65_500
COMMAND_LIMIT = 128
QUEUE_COMMANDS = frozenset({"MARK_MEDIA", "FLUSH_MEDIA", "PAUSE_MEDIA", "CONTINUE_MEDIA", "REPORT_QUEUE_DRAINED"})
QUEUE_MS, XOFF_MS, XON_MS = 20_000, 18_000, 16_000
"""1,000 frames, and the levels at which the gateway is ordered to pause and to go on."""


class AsteriskWire(Wire):
    """One stream of chan_websocket.

    Quirks: ``json`` control; ``early``: audio before ``MEDIA_START``; ``ping``: a ping hangs up, as it did before 2026.
    Generations, each with words alone: ``20.16`` names no ``channel_id`` and has no marks, as 21.x, 22.6 and 23.0;
    ``20.17`` has no marks, as 22.7 and 23.1. Dial options: ``passthrough``, ``unbuffered``.
    """

    queue_limit_ms = QUEUE_MS

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._named = {} if "20.16" in call.quirks else {"channel_id": call.call_id}
        self._knows_marks = not call.quirks & {"20.16", "20.17"}
        self._json = "json" in call.quirks and self._knows_marks
        self._frame_bytes = self.bot_format.bytes_for(20)
        self._off = False
        self._paused = False
        self._queued_ms = 0.0
        self._reports_drained = False

    def opening(self) -> Sequence[Message]:
        """Return MEDIA_START: the channel, its codec and the size of its frames."""
        connection, codec = self.call.stream_id, CODECS[self.audio_format]
        start: dict[str, object] = {
            "connection_id": connection,
            "channel": f"WebSocket/{connection}/0x7f1c",
            **self._named,
            "format": codec,
            "optimal_frame_size": self._frame_bytes,
            "ptime": 20,
        }
        flags = {name: name in self.call.quirks for name in OWN_TIMING}
        if any(flags.values()):
            start |= {name: on if self._json else str(on).lower() for name, on in flags.items()}
        early = [self.audio_format.silence(20)] * 3 if "early" in self.call.quirks else []
        if not self._json:
            return (*early, _in_words("MEDIA_START", start))
        variables = {
            "MEDIA_WEBSOCKET_CONNECTION_ID": connection,
            "MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE": str(self._frame_bytes),
        }
        return (*early, _written({"event": "MEDIA_START", **start, "channel_variables": variables}))

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[bytes]:
        """Return a frame of the caller's audio."""
        return (audio,)

    def key(self, digit: str) -> Sequence[str]:
        """Return DTMF_END with the key that was pressed."""
        if self._json:
            return (_written({"event": "DTMF_END", "channel_id": self.call.call_id, "digit": digit}),)
        return (_in_words("DTMF_END", {"digit": digit, **self._named}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return MEDIA_MARK_PROCESSED; a flush drops marks without a report."""
        if cleared:
            return ()
        if self._json:
            event = {"event": "MEDIA_MARK_PROCESSED", "channel_id": self.call.call_id, "correlation_id": name}
            return (_written(event),)
        return (f"MEDIA_MARK_PROCESSED {name}",)

    def playback_ended(self) -> Sequence[str]:
        """Return QUEUE_DRAINED, once for each time that it was asked for."""
        if not self._reports_drained:
            return ()
        self._reports_drained = False
        return self._event("QUEUE_DRAINED")

    def tick(self, now_ms: int, queued_ms: float) -> Sequence[str]:
        """Return MEDIA_XOFF and MEDIA_XON."""
        self._queued_ms = queued_ms
        if not self._off and queued_ms >= XOFF_MS:
            self._off = True
            return self._event("MEDIA_XOFF")
        if self._off and queued_ms < XON_MS:
            self._off = False
            return self._event("MEDIA_XON")
        return ()

    def overflowed(self) -> Sequence[Order]:
        """Drop the whole message, as the queue is full; nothing is sent."""
        return (Violated("media discarded: 1,000 frames are queued", once=True),)

    def pinged(self) -> Sequence[Order]:
        """Hang the channel up, if the quirk is on."""
        if "ping" not in self.call.quirks:
            return ()
        return (Violated("a ping from the server, which hangs up the channel"), Close(1006))

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse audio in whole frames, and commands."""
        size = len(message) if isinstance(message, bytes) else len(message.encode())
        if size > MESSAGE_LIMIT:
            return (Violated(f"a message of {size} bytes, more than {MESSAGE_LIMIT}"), Close(1009))
        if isinstance(message, bytes):
            whole = size - size % self._frame_bytes
            if whole == size:
                return (Media(message),)
            lost = Violated(f"{size - whole} bytes dropped: {size} is no multiple of {self._frame_bytes}")
            return (lost, Media(message[:whole])) if whole else (lost,)
        if size > COMMAND_LIMIT:
            raise WireError(f"a command of {size} bytes, longer than {COMMAND_LIMIT}")
        return self._command(*self._read(message))

    def _read(self, message: str) -> tuple[str, str]:
        """Return the command's word and its id."""
        if not self._json:
            word, _, mark = message.strip().partition(" ")
            return word, mark
        try:
            read = json.loads(message)
        except (ValueError, RecursionError) as error:
            raise WireError(f"unable to parse JSON command ({error}): {message!r}") from None
        if not isinstance(read, dict) or not isinstance(read.get("command"), str):
            raise WireError(f"no command: {message!r}")
        return read["command"], str(read.get("correlation_id", ""))

    def _command(self, word: str, mark: str) -> Sequence[Order]:
        if word in QUEUE_COMMANDS and self.call.quirks.intersection(OWN_TIMING):
            return (
                Violated(f"{word} without a queue"),
                Send((self._error(f"{word} not supported in passthrough mode"),)),
            )
        match word:
            case "ANSWER":
                return ()
            case "HANGUP":
                return (HangUp(),)
            case "MARK_MEDIA" if self._knows_marks:
                return (Mark(mark),)
            case "FLUSH_MEDIA":
                return (Clear(),)
            case "PAUSE_MEDIA" | "CONTINUE_MEDIA":
                self._paused = word == "PAUSE_MEDIA"
                return (Pause(self._paused),)
            case "REPORT_QUEUE_DRAINED":
                self._reports_drained = True
                return ()
            case "GET_STATUS":
                return (Send(self._status()),)
            case "START_MEDIA_BUFFERING" | "STOP_MEDIA_BUFFERING":
                raise WireError(f"{word}: this phone does not know it")
            case _:
                raise WireError(f"{word[:40]!r}: unknown command")

    def _status(self) -> Sequence[str]:
        numbers = {
            "queue_length": int(self._queued_ms // 20),
            "xon_level": XON_MS // 20,
            "xoff_level": XOFF_MS // 20,
        }
        flags = {"queue_full": self._off, "bulk_media": False, "media_paused": self._paused}
        if self._json:
            return (_written({"event": "STATUS", "channel_id": self.call.call_id, **numbers, **flags}),)
        written = {**self._named, **numbers, **{name: str(flag).lower() for name, flag in flags.items()}}
        return (_in_words("STATUS", written),)

    def _error(self, text: str) -> str:
        if self._json:
            return _written({"event": "ERROR", **self._named, "error_text": text})
        return _in_words("ERROR", {**self._named, "error_text": text})

    def _event(self, event: str) -> Sequence[str]:
        return (_written({"event": event, "channel_id": self.call.call_id}),) if self._json else (event,)


class AsteriskWebhook(Webhook):
    """No webhook: the dialplan opens the stream, with the numbers in its query and a password, ``stream_secret``."""

    def stream(self, url: str) -> StreamOpening:
        """Return ``Dial(WebSocket/gw/c(ulaw)v(from=…,to=…))`` with a section of websocket_client.conf."""
        numbers = {name: number for name, number in (("from", self.call.from_), ("to", self.call.to)) if number}
        if numbers:
            url += ("&" if "?" in url else "?") + urlencode(numbers)
        secret = self.call.secrets.get("stream_secret", "")
        encoded = base64.b64encode(f"asterisk:{secret}".encode()).decode()
        return StreamOpening(url, {"Authorization": f"Basic {encoded}"} if secret else {}, (SUBPROTOCOL,))

    async def call_in(self) -> StreamOpening:
        """Return the stream without a request, as websocket_client.conf would be set to it."""
        return self.stream(stream_beside(self.call.answer_url))


def _in_words(event: str, fields: Mapping[str, object]) -> str:
    return " ".join([event, *(f"{name}:{value}" for name, value in fields.items())])


def _written(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))


_CHANNELS = itertools.count(1)


def _channel_id() -> str:
    """Return a channel's id as Asterisk makes it: the second, and a number."""
    return f"{int(time.time())}.{next(_CHANNELS)}"


provider = SimProvider(
    name="asterisk",
    title="Asterisk",
    wire=AsteriskWire,
    webhook=AsteriskWebhook,
    audio_formats=tuple(CODECS),
    new_call_id=_channel_id,
    new_stream_id=lambda: "gw",
)
