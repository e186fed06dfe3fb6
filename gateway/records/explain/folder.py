"""Reads what the folder of a simulated call holds, to be explained."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.audio.audio_file import read_audio
from gateway.errors import InputError
from gateway.records.explain.events import LAST, Event
from gateway.records.explain.explaining import Subject

CALL, EVENTS, SOUND = "call.json", "events.jsonl", "call.wav"
_ROW = frozenset(("at_ms", "source", "kind"))


def is_folder(path: Path) -> bool:
    """Return ``True`` if this is the folder of a call."""
    return (path / CALL).is_file()


def read_folder(path: Path) -> tuple[Subject, list[Event]]:
    """Return a call and the gateway's events of it; ``InputError`` where a file cannot be used.

    A folder of a call to a gateway elsewhere has none.
    """
    told = _decoded(path / CALL, _read(path / CALL))
    events = []
    for number, text in enumerate(_read(path / EVENTS).splitlines(), 1):
        if text.strip():
            row = _decoded(path / EVENTS, text, number)
            if row.get("source", "gateway") == "gateway":
                events.append(_event(path / EVENTS, number, row))
    over = any(event.kind == LAST for event in events)
    subject = Subject(
        call=_text(told, "call_id") or path.name,
        provider=_text(told, "provider"),
        line=_text(told, "line"),
        generation=_text(told, "generation"),
        caller=_text(told, "caller"),
        called=_text(told, "called"),
        started=_time(_text(told, "started")),
        state="ended" if over else "interrupted",
        model=_text(told, "model"),
    )
    return subject, events


def sound_of(path: Path) -> tuple[npt.NDArray[np.int16], int] | None:
    """Return the recording in a folder and its rate; ``None`` where there is none of two channels."""
    file = path / SOUND
    if not file.is_file():
        return None
    audio = read_audio(file)
    return (audio.samples, audio.rate_hz) if audio.samples.ndim == 2 and audio.samples.shape[1] == 2 else None


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}, expected the file of a call") from None


def _decoded(file: Path, text: str, number: int = 0) -> dict[str, Any]:
    where = f"{file}:{number}" if number else str(file)
    try:
        row = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise InputError(f"{where}: is no JSON: {error}") from None
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected a JSON object")
    return row


def _event(file: Path, number: int, row: Mapping[str, Any]) -> Event:
    at_ms, kind = row.get("at_ms"), row.get("kind")
    if not isinstance(at_ms, int | float) or isinstance(at_ms, bool) or not isinstance(kind, str):
        raise InputError(f"{file}:{number}: expected at_ms, a number, and kind, a text")
    return Event(float(at_ms), kind, {name: value for name, value in row.items() if name not in _ROW})


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
