"""A provider's wire as the kit tries it: its golden start, messages with a change in them, words for random ones."""

import ast
import base64
import copy
import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.audio.formats import AudioFormat
from gateway.errors import WireError
from gateway.phone.events import CallerAudio, CallStarted, OddMessage, PhoneClosed
from gateway.phone.provider import Codec, Grant
from tests.conformance.transcripts import Message, Transcript, about, golden, made
from tests.documents import ROOT

CALLER = "+14155550123"
CALLED = "+14255550100"
GONE = object()
"""In place of a value: without the member."""
SHAPES: tuple[object, ...] = (None, True, False, [], {}, "", [1], {"a": [{}]})
"""What is neither text nor number, or empty."""
NUMBERS = (7, -1, 0.5, 10**30)


def fresh(provider: str) -> Codec:
    """Make a wire before its start; our answer document vouched for the call."""
    return made(provider, Grant("support", golden_id(provider), CALLER, CALLED), golden(provider).stream.upgrade)


@functools.cache
def refusal(provider: str) -> str:
    """Return why a fresh wire refuses the golden start; empty where it begins the call."""
    try:
        events = fresh(provider).decode(start_text(provider))
    except WireError as error:
        return str(error)
    return "" if any(isinstance(event, CallStarted) for event in events) else "it is no CallStarted"


def need_start(provider: str) -> None:
    """Skip a test that needs the golden start where that is refused: one test says so for all."""
    if refusal(provider):
        pytest.skip(f"{provider}: the golden start is refused, see test_the_golden_start_is_taken")


def begun(provider: str) -> Codec:
    """Make a wire whose call has started."""
    need_start(provider)
    codec = fresh(provider)
    codec.decode(start_text(provider))
    return codec


def unvouched(provider: str) -> Codec:
    """Make a wire whose stream came without our answer."""
    return made(provider, Grant(), golden(provider).stream.upgrade)


@functools.cache
def start_at(provider: str) -> int:
    """Return which of the provider's messages is the start."""
    steps = [step for step in golden(provider).steps if step.is_in]
    found = [at for at, step in enumerate(steps) if any(isinstance(event, CallStarted) for event in step.events)]
    assert found, f"{golden(provider).path}: no message has the event CallStarted: write it below the start"
    return found[0]


def start_text(provider: str) -> Message:
    """Return the golden start as it is."""
    return golden(provider).messages[start_at(provider)]


def start_of(provider: str) -> dict[str, Any]:
    """Return the golden start as JSON."""
    text = start_text(provider)
    assert isinstance(text, str)
    read: dict[str, Any] = json.loads(text)
    return read


@functools.cache
def golden_id(provider: str) -> str:
    """Return the id of the golden call."""
    transcript = golden(provider)
    events = [event for step in transcript.steps for event in step.events if isinstance(event, CallStarted)]
    return events[0].call_id if about(provider).call_id else "granted"


def format_of(transcript: Transcript) -> AudioFormat:
    """Return the format of the golden call's audio."""
    return next(e.audio_format for step in transcript.steps for e in step.events if isinstance(e, CallStarted))


def begin(provider: str, start: str) -> tuple[CallStarted, list[OddMessage]]:
    """Return the call that a start makes, and what was odd about it."""
    need_start(provider)
    events = [event for event in fresh(provider).decode(start) if isinstance(event, CallStarted | OddMessage)]
    assert isinstance(events[0], CallStarted)
    return events[0], [event for event in events[1:] if isinstance(event, OddMessage)]


def places(value: object, prefix: str = "") -> Iterator[str]:
    """Yield the place of every member, such as ``start.tracks.0``."""
    members: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for name, inner in members:
        yield f"{prefix}{name}"
        yield from places(inner, f"{prefix}{name}.")


def changed(message: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """Return the message with another value at that place, or without it."""
    message = copy.deepcopy(message)
    *path, last = (int(part) if part.isdigit() else part for part in place.split("."))
    target: Any = message
    for part in path:
        target = target[part]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return message


def free(provider: str) -> list[str]:
    """Return the places of the start that nobody needs."""
    return [place for place in places(start_of(provider)) if place not in about(provider).needs]


def linear_start(provider: str) -> dict[str, Any]:
    """Return the golden start of a call in linear audio."""
    need_start(provider)
    start = start_of(provider)
    for place, value in (about(provider).linear or {}).items():
        start = changed(start, place, value)
    return start


def golden_audio(provider: str) -> Message:
    """Return a message of the caller's audio."""
    steps = golden(provider).steps
    return next(
        step.act
        for step in steps
        if isinstance(step.act, str | bytes) and any(isinstance(event, CallerAudio) for event in step.events)
    )


def audio_message(provider: str, audio: bytes, number: int) -> Message:
    """Return a message of the caller's audio as the provider writes it."""
    message, known = golden_audio(provider), about(provider)
    if isinstance(message, bytes):
        steps = golden(provider).steps
        started = next(event for step in steps for event in step.events if isinstance(event, CallStarted))
        return message[: started.frame_header] + audio
    read = changed(json.loads(message), known.audio, base64.b64encode(audio).decode())
    return json.dumps(changed(read, known.audio_number, str(number)) if known.audio_number else read)


def as_heard(provider: str, audio: bytes) -> bytes:
    """Return linear audio in our order of bytes."""
    if not about(provider).big_endian:
        return audio
    return b"".join(audio[at : at + 2][::-1] for at in range(0, len(audio), 2))


def ends(provider: str, message: Message) -> bool:
    """Return whether a message ends a call, or cannot stand elsewhere."""
    if isinstance(message, bytes):
        return False
    try:
        return about(provider).in_order or any(isinstance(e, PhoneClosed) for e in begun(provider).decode(message))
    except WireError:
        return False


@functools.cache
def words(provider: str) -> tuple[str, ...]:
    """Return the texts in the source of a provider: names of members, kinds of messages."""
    folder = ROOT / "gateway" / "phone"
    files = [*(folder / "providers" / provider).glob("*.py"), *(folder / "dialects").rglob("*.py")]
    found = {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 40
    }
    return tuple(sorted(found))
