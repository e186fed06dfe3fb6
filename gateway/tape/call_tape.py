"""The tape of one call: turns what was recorded into redacted lines. Only the writer's thread uses it."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from pybase64 import b64decode

from gateway.audio.formats import AudioFormat
from gateway.tape import bodies, levels
from gateway.tape.form import Line
from gateway.tape.redaction import Redaction
from gateway.text import json_bytes

SOUND = frozenset({"payload", "data", "audio", "media", "chunk"})
"""The names, in lower case, of members that have audio in base64 wherever they stand."""
SHORTEST_SOUND = 8
"""The number of signs from which ``data`` is audio; a key or a word is shorter."""
LARGEST = 8 * 1024 * 1024
"""Bytes of one message that are read; of a larger one only the size is kept."""


class Entry(Struct, frozen=True):
    """An entry as it is recorded, not redacted yet: a message, or something that ``kind`` names."""

    at: float
    """The machine's clock, in seconds."""
    side: str
    to: str
    payload: Any
    kind: str = "message"
    n: int = 0


class Exchange(Struct, frozen=True):
    """An HTTP message: a request, or the answer to one (with ``status``)."""

    headers: Mapping[str, str]
    method: str = ""
    url: str = ""
    content: bytes = b""
    content_type: str = ""
    status: int = 0
    failure: str = ""


class CallTape:
    """Makes the lines of one call, in the order of what happened."""

    def __init__(self, redaction: Redaction, clock: float, *, keep_audio: bool) -> None:
        self._redaction = redaction
        self.clock = clock
        """The clock of the tape's header: times count from it."""
        self._keep_audio = keep_audio
        self._formats: dict[tuple[str, str], AudioFormat | None] = {}
        self._frame_header = 0
        self._big_endian = False

    def line(self, entry: Entry) -> bytes:
        """Return an entry as a line of the tape."""
        payload = entry.payload
        content: dict[str, Any]
        if entry.kind == "message":
            content = self._message(entry, payload)
        elif isinstance(payload, Exchange):
            content = {"http": self._exchange(payload)}
        else:
            self._note_format(entry.kind, payload)
            content = {"facts": self._redaction.value(payload)} if payload else {}
        made = Line(round(entry.at - self.clock, 4) + 0.0, entry.side, entry.to, entry.kind, entry.n, **content)
        return json_bytes(made) + b"\n"

    def lost(self, at: float, counts: Counter[str]) -> bytes:
        """Return the line that names what could not be recorded."""
        facts = {"count": counts.total(), "of": dict(counts)}
        return json_bytes(Line(round(at - self.clock, 4), "gateway", kind="lost", facts=facts)) + b"\n"

    def _message(self, entry: Entry, message: str | bytes) -> dict[str, Any]:
        if len(message) > LARGEST:
            return {"text": f"$large {len(message)}"}
        if entry.side == "phone" and isinstance(message, bytes):
            head, audio = message[: self._frame_header], message[self._frame_header :]
            return {"audio": self._sound(entry.side, entry.to, audio)} | ({"head": tuple(head)} if head else {})
        try:
            read = json.loads(message)
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict):
            if read.get("type") == "session.update":
                self._note_session(read.get("session"))
            return {"json": self._redaction.value(self._without_sound(entry, read))}
        text = message if isinstance(message, str) else message.decode("utf-8", "replace")
        return {"text": self._redaction.words(text) if len(text) < 2000 else self._redaction.fakes.text(text)}

    def _without_sound(self, entry: Entry, message: Any) -> Any:
        """Return a message with ``$audio …`` in place of its audio."""
        if not isinstance(message, dict):
            return message
        is_delta = str(message.get("type", "")).endswith("audio.delta")
        shown = {}
        for name, value in message.items():
            if (audio := _sound_in(name, value, is_delta=is_delta)) is not None:
                shown[name] = self._sound(entry.side, entry.to, audio)
            else:
                shown[name] = self._without_sound(entry, value)
        return shown

    def _sound(self, side: str, to: str, audio: bytes) -> str:
        swapped = side == "phone" and self._big_endian
        level = levels.level_db(audio, self._formats.get((side, to)), swapped=swapped)
        return levels.told(audio, level, keep=self._keep_audio)

    def _note_format(self, kind: str, facts: Mapping[str, Any]) -> None:
        if kind == "started":
            audio_format = facts.get("audio_format")
            made = next((each for each in levels.SESSION_FORMATS.values() if str(each) == audio_format), None)
            self._formats["phone", "in"] = self._formats["phone", "out"] = made
            self._frame_header = int(facts.get("frame_header", 0))
            self._big_endian = bool(facts.get("big_endian"))

    def _note_session(self, session: object) -> None:
        if isinstance(session, dict):
            for member, to in (("input_audio_format", "out"), ("output_audio_format", "in")):
                if name := session.get(member):
                    self._formats["voice", to] = levels.SESSION_FORMATS.get(str(name))

    def _exchange(self, exchange: Exchange) -> dict[str, Any]:
        redaction = self._redaction
        shown: dict[str, Any] = {}
        if exchange.method:
            shown |= {"method": exchange.method, "url": redaction.url(exchange.url)}
        if exchange.status:
            shown["status"] = exchange.status
        if exchange.failure:
            shown["failure"] = redaction.verbatim(exchange.failure)
        shown["headers"] = bodies.headers(redaction, exchange.headers)
        kind = exchange.content_type or _type_in(exchange.headers)
        return shown | bodies.body(redaction, exchange.content, kind)


def _sound_in(name: str, value: object, *, is_delta: bool) -> bytes | None:
    """Return the audio that a member holds; ``None`` where it holds none."""
    is_named = name.lower() in SOUND or (is_delta and name == "delta")
    if not is_named or not isinstance(value, str) or (name == "data" and len(value) < SHORTEST_SOUND):
        return None
    try:
        return b64decode(value, validate=True)
    except ValueError:
        return None


def _type_in(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "content-type"), "")
