"""Messages of a tape as a peer would send them: audio in place of its size, the rest as it stands. Pure."""

import json
from typing import Any

from pybase64 import b64encode_as_string

from gateway.tape.form import Line
from gateway.tape.levels import sound

Message = str | bytes


def message_of(line: Line) -> Message | None:
    """Return the WebSocket message of a record; ``None`` where it is none."""
    if line.kind != "message":
        return None
    if line.audio is not None:
        return bytes(line.head) + sound(line.audio)
    if line.json is not None:
        return json.dumps(with_sound(line.json), separators=(",", ":"))
    return line.text


def with_sound(value: Any) -> Any:
    """Return a JSON value with base64 audio where the tape has ``$audio …``."""
    match value:
        case str() if value.startswith("$audio "):
            return b64encode_as_string(sound(value))
        case dict():
            return {name: with_sound(inner) for name, inner in value.items()}
        case list():
            return [with_sound(inner) for inner in value]
    return value


def audio_size(line: Line) -> int:
    """Return the bytes of audio in a record; 0 where there is none."""
    return sum(int(told.split(" ")[1]) for told in _told(line.audio if line.audio is not None else line.json))


def _told(value: Any) -> list[str]:
    match value:
        case str():
            return [value] if value.startswith("$audio ") else []
        case dict():
            return [told for inner in value.values() for told in _told(inner)]
    return []
