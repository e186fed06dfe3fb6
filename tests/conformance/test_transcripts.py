"""Every wire does as its golden transcripts say, and nothing that a peer can send makes it fail in another way."""

import contextlib
import functools
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.phone.commands import PlayAudio
from gateway.phone.events import CallerAudio, CallStarted, MalformedMessage, PhoneEvent
from gateway.phone.provider import Codec
from gateway.phone.providers import PROVIDERS
from gateway.tape.form import kind_of
from tests.conformance.transcripts import (
    Message,
    Step,
    Transcript,
    bare,
    every_transcript,
    golden,
    of_event,
    of_message,
)
from tests.conformance.wires import begun, fresh, places, start_text, unvouched, words
from tests.phone.any_json import values

FORM_OF_TAPES = "gateway/tape/form.py"
WIRES: tuple[Callable[[str], Codec], ...] = (unvouched, fresh, begun)
"""A wire whose stream came without our answer, one before its start, and one in the call."""


@pytest.mark.parametrize("transcript", every_transcript(), ids=str)
def test_a_wire_does_what_its_transcript_says(transcript: Transcript) -> None:
    """Each message in is these events and replies, and each command these messages, byte for byte."""
    codec = transcript.codec()
    for step in transcript.steps:
        try:
            events, out = step.carried_out(codec)
        except WireError as error:
            raise AssertionError(f"{transcript.path}:{step.number}: the codec refuses this message: {error}") from error
        where = f"{transcript.path}:{step.number}: the codec makes of this line:\n{written(events, out)}"
        assert (events, out) == (step.events, step.out), where


def written(events: Sequence[PhoneEvent], out: Sequence[Message]) -> str:
    """Return the lines that a transcript would have to have."""
    lines = [{"event": of_event(event)} for event in events] + [{"out": of_message(message)} for message in out]
    return "\n".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in lines) or "nothing"


@pytest.mark.parametrize("transcript", every_transcript(), ids=str)
def test_the_start_says_what_stands_before_audio(transcript: Transcript) -> None:
    """Tapes keep it, for without it nothing decodes the audio again."""
    started = [event for step in transcript.steps for event in step.events if isinstance(event, CallStarted)]
    for step in transcript.steps:
        for event in step.events:
            if isinstance(step.act, bytes) and isinstance(event, CallerAudio) and started:
                head = len(step.act) - len(event.audio)
                where = f"{transcript.path}:{step.number}: {head} bytes stand before the audio"
                assert head == started[0].frame_header, f"{where}: set frame_header of CallStarted"


@pytest.mark.parametrize("transcript", every_transcript(), ids=str)
def test_the_kind_of_a_message_is_known_to_tapes(transcript: Transcript) -> None:
    """Tapes show no other text of a message; a start may be the only one without a kind."""
    for step in transcript.steps:
        if not isinstance(step.act, str) or not step.act.startswith("{"):
            continue
        is_start = any(isinstance(event, CallStarted) for event in step.events)
        known = kind_of(read) if isinstance(read := json.loads(step.act), dict) else ""
        where = f"{transcript.path}:{step.number}: no member names the kind of this message"
        assert known or is_start or not step.events, f"{where}: add the one that does to KIND_NAMES of {FORM_OF_TAPES}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_golden_transcript_is_of_a_call(provider: str) -> None:
    """It has a start, the caller's audio, and audio of ours."""
    transcript = golden(provider)
    found = {type(event) for step in transcript.steps for event in step.events}
    missing = [kind.__name__ for kind in (CallStarted, CallerAudio) if kind not in found]
    if not any(step.out for step in played(transcript)):
        missing.append("PlayAudio, and the message that it becomes")
    assert not missing, f"{transcript.path}: add a line with {' and one with '.join(missing)}"


def played(transcript: Transcript) -> Sequence[Step]:
    """Return the steps in which audio of ours goes out: the commands, or what comes after the first of them."""
    at = [number for number, step in enumerate(transcript.steps) if isinstance(step.act, PlayAudio)]
    if not at or not bare(transcript.provider).traits.sends_on_receipt:
        return [transcript.steps[number] for number in at]
    return [step for step in transcript.steps[at[0] :] if step.is_in]


@pytest.mark.parametrize("transcript", every_transcript(), ids=str)
def test_a_message_that_is_cut_off_is_refused_or_read(transcript: Transcript) -> None:
    """Wherever it is cut, and whatever the wire knows already."""
    for step in transcript.steps:
        if isinstance(step.act, str | bytes):
            for at in range(0, len(step.act), 1 + len(step.act) // 100):
                for make in WIRES:
                    read(make(transcript.provider), step.act[:at])


def read(codec: Codec, message: Message) -> None:
    """Decode a message; nothing but a WireError, which says what is wrong, may come of it."""
    try:
        codec.decode(message)
    except WireError as error:
        assert str(error)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("message", ["", b"", "not JSON", "{", "[]", "7", "null", '"x"', "\udc80", "[" * 100_000])
def test_what_is_no_message_is_refused_or_read(provider: str, message: Message) -> None:
    """Before the start and after it; a reader that goes to any depth would fall."""
    for make in WIRES:
        read(make(provider), message)


@pytest.mark.parametrize("provider", PROVIDERS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_anything_in_is_events_or_a_wire_error(provider: str, data: st.DataObject) -> None:
    """Random bytes, texts and JSON, and golden messages with any values anywhere, in any order."""
    codec = data.draw(st.sampled_from(WIRES))(provider)
    for _ in range(3):
        read(codec, data.draw(messages(provider)))


@functools.cache
def messages(provider: str) -> st.SearchStrategy[Message]:
    """Make any message; most are golden ones with changes."""
    known = [message for message in golden(provider).messages if isinstance(message, str)]
    named = st.dictionaries(st.sampled_from(words(provider)), values | st.sampled_from(words(provider)), max_size=5)
    anything = st.binary(max_size=200) | st.text(max_size=200) | values.map(json.dumps) | named.map(json.dumps)
    golden_ones = st.sampled_from(known).flatmap(spoiled)
    return golden_ones | golden_ones | anything


@st.composite
def spoiled(draw: st.DrawFn, message: str) -> str:
    """Make a golden message with other values in it; one that is no JSON, with other words."""
    try:
        whole = json.loads(message)
    except ValueError:
        parts = message.split(" ")
        parts[draw(st.integers(0, len(parts) - 1))] = draw(st.text(max_size=20))
        return " ".join(parts)
    for place in draw(st.lists(st.sampled_from(list(places(whole))), max_size=3)):
        put(whole, place, draw(values))
    return json.dumps(whole)


def put(message: Any, place: str, value: object) -> None:
    """Set a member, unless the change before left no such place."""
    *path, last = (int(part) if part.isdigit() else part for part in place.split("."))
    with contextlib.suppress(KeyError, IndexError, TypeError):
        for part in path:
            message = message[part]
        message[last] = value


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_second_start_is_refused(provider: str) -> None:
    """A stream carries one call."""
    try:
        events = begun(provider).decode(start_text(provider))
    except WireError as error:
        assert str(error)
    else:
        assert MalformedMessage in {type(event) for event in events}
        assert CallStarted not in {type(event) for event in events}
