"""The browser's end of a call, as a page plays it: binary audio, control as JSON.

Source: docs/providers/browser.md, *The wire*.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from gateway.audio.formats import L16_24K
from gateway.errors import WireError
from gateway.sim.phone.webhook import SimProvider, Webhook, stream_beside
from gateway.sim.phone.wire import (
    Clear,
    Digits,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)

ANY_LINE = "-"


class _Strict(msgspec.Struct, tag_field="type", forbid_unknown_fields=True):
    pass


class _Mark(_Strict, tag="mark"):
    mark: str


class _Clear(_Strict, tag="clear"):
    pass


class _Digits(_Strict, tag="digits"):
    digits: str


class _Transfer(_Strict, tag="transfer"):
    to: str


class _HangUp(_Strict, tag="hang_up"):
    pass


class _Note(_Strict, tag="note"):
    note: str
    at_ms: int
    fields: dict[str, Any]


_Read = _Mark | _Clear | _Digits | _Transfer | _HangUp | _Note
_MESSAGES: msgspec.json.Decoder[_Read] = msgspec.json.Decoder(_Read)


class BrowserWire(Wire):
    """The messages of one stream. A mark returns when it was played; a clear drops it."""

    def opening(self) -> Sequence[str]:
        """Return start: who calls whom, and at which rate."""
        start = {
            "call": self.call.call_id,
            "rate_hz": self.audio_format.rate_hz,
            "from": self.call.from_,
            "to": self.call.to,
            "parameters": dict(self.stream.parameters),
        }
        return (_written({"type": "start", "start": start}),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[bytes]:
        """Return a frame of the caller's audio."""
        return (audio,)

    def key(self, digit: str) -> Sequence[str]:
        """Return a key press."""
        return (_written({"type": "key", "key": digit}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return a mark that was played; one that was discarded does not return."""
        return () if cleared else (_written({"type": "played", "mark": name}),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        return (_written({"type": "hang_up"}),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse audio and control."""
        if isinstance(message, bytes):
            whole = len(message) - len(message) % 2
            lost = () if whole == len(message) else (Violated("half a sample of audio"),)
            return (*lost, Media(message[:whole]))
        try:
            read = _MESSAGES.decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        match read:
            case _Mark():
                return (Mark(read.mark),)
            case _Clear():
                return (Clear(),)
            case _Digits():
                return (Digits(read.digits),)
            case _Transfer():
                return (Transfer(read.to),)
            case _HangUp():
                return (HangUp(),)
            case _Note():
                return ()


class BrowserWebhook(Webhook):
    """No webhook: the stream is opened with a secret as the last part of its path, where a page has a token."""

    def stream(self, url: str) -> StreamOpening:
        """Return the stream of ``/stream/browser[/LINE[/TOKEN]]``, with ``stream_secret`` where it has no token."""
        secret = self.call.secrets.get("stream_secret", "")
        parts = urlsplit(url)
        steps = parts.path.strip("/").split("/")
        if secret and len(steps) < 4:
            steps = [*steps, *([ANY_LINE] if len(steps) < 3 else []), secret]
        return StreamOpening(urlunsplit(parts._replace(path="/" + "/".join(steps))))

    async def call_in(self) -> StreamOpening:
        """Return the stream without a request."""
        return self.stream(stream_beside(self.call.answer_url))


def _written(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))


provider = SimProvider(
    name="browser",
    title="Browser",
    wire=BrowserWire,
    webhook=BrowserWebhook,
    audio_formats=(L16_24K,),
)
