"""Every wire lets go what comes before its start, and loses no audio for what stands beside it or where it is cut."""

import asyncio
import json
import re
from collections.abc import Mapping

import pytest

from gateway.errors import WireError
from gateway.phone.commands import PlayAudio, StopPlayback
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    MalformedMessage,
    OddMessage,
    PhoneClosed,
    PhoneEvent,
    WireReply,
)
from gateway.phone.leg import PhoneLeg
from gateway.phone.provider import Codec
from gateway.phone.providers import PROVIDERS
from tests.conformance.transcripts import about, bare, golden
from tests.conformance.wires import (
    GONE,
    NUMBERS,
    SHAPES,
    as_heard,
    audio_message,
    begun,
    changed,
    ends,
    format_of,
    fresh,
    golden_audio,
    linear_start,
    need_start,
    places,
    start_at,
    start_text,
)
from tests.fakes import FakeSocket

ODD_AND_EARLY: tuple[str, ...] = (
    '{"event":"brand-new"}',
    '{"event":"dtmf"}',
    '{"event":"dtmf","dtmf":{"digit":"x"}}',
    '{"event":"mark","mark":{"name":null}}',
    '{"event":"media","media":null}',
    '{"event":7}',
    "{}",
    '{"kept":"alive"}',
)


def early(provider: str) -> list[str | bytes]:
    """What may overtake a start: the caller's audio for more than a second, keys, marks, nothing, things unknown."""
    at, known = start_at(provider), golden(provider).messages
    sent = [message for message in (*known[:at], *known[at + 1 :]) if not ends(provider, message)]
    return [*sent * 80, "", b"", *ODD_AND_EARLY]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_comes_before_the_start_is_let_go(provider: str) -> None:
    """Neither what it is nor how much of it there is turns the call away; it is counted by kind and told once."""
    need_start(provider)
    start, before = start_text(provider), early(provider)
    leg = PhoneLeg(FakeSocket(*before, start), fresh(provider))
    assert isinstance(await leg.start(5), CallStarted)
    events: list[PhoneEvent] = []
    await leg.run(events.append)
    told = [event for event in events if not isinstance(event, PhoneClosed)]
    assert [type(event) for event in told] == [OddMessage]
    assert "2 × an empty message" in str(told)
    assert about(provider).in_order or re.search(r"\b\d*0 × audio", str(told))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_start_that_never_comes(provider: str) -> None:
    """The time alone ends it, and what came instead is told."""
    leg = PhoneLeg(FakeSocket(*early(provider), None), fresh(provider))
    with pytest.raises(TimeoutError, match="2 × an empty message"):
        await asyncio.wait_for(leg.start(0.05), 5)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_another_protocol_is_refused_at_once(provider: str) -> None:
    """What is no message of this wire, and a start that says what nothing here can carry, need no waiting."""
    with pytest.raises(WireError):
        await PhoneLeg(FakeSocket("not JSON", None), fresh(provider)).start(5)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wire_that_sends_on_receipt_sends_a_frame_for_each(provider: str) -> None:
    """Ours in order while there is some, then silence; a stop discards what waits. Any other wire sends none."""
    codec, audio_format = begun(provider), format_of(golden(provider))
    caller, ours = golden_audio(provider), audio_format.silence(60).replace(b"\0", b"\1")
    if not bare(provider).traits.sends_on_receipt:
        codec.encode(PlayAudio(ours))
        sent = sent_on(codec, caller)
        assert not sent, f"{provider}: set sends_on_receipt in the traits: its codec sends for audio that comes: {sent}"
        return
    written = list(codec.encode(PlayAudio(ours)))
    assert not written, f"{provider}: sends_on_receipt of the traits: PlayAudio is sent at once: {written}"
    counts = [len(sent_on(codec, caller)) for _ in range(2)]
    codec.encode(StopPlayback())
    silent = sent_on(codec, caller)
    assert [*counts, len(silent)] == [1, 1, 1], f"{provider}: send one message for each that comes"
    assert silent == sent_on(begun(provider), caller), f"{provider}: discard on StopPlayback what waits"


def sent_on(codec: Codec, message: str | bytes) -> list[str | bytes]:
    """Return what a codec wants sent at once for a message."""
    return [out for event in codec.decode(message) if isinstance(event, WireReply) for out in event.messages]


TEXT_AUDIO = [name for name in PROVIDERS if about(name).audio]
"""Their audio comes in messages of JSON."""
LINEAR = [name for name in PROVIDERS if about(name).linear is not None]


@pytest.mark.parametrize("provider", TEXT_AUDIO)
def test_audio_is_taken_whatever_stands_beside_it(provider: str) -> None:
    """Numbers, times, tracks and ids of any shape cost nobody a word."""
    message = golden_audio(provider)
    assert isinstance(message, str)
    read = json.loads(message)
    (audio,) = (event for event in begun(provider).decode(message) if isinstance(event, CallerAudio))
    for place in sorted(set(places(read)) - beside(provider, read)):
        for value in (GONE, *SHAPES, *NUMBERS):
            if place in about(provider).means and value is True:
                continue
            assert audio in begun(provider).decode(json.dumps(changed(read, place, value))), (place, value)


def beside(provider: str, message: Mapping[str, object]) -> set[str]:
    """Return the places that audio does need: its own, those around it, and the kind of message."""
    parts = about(provider).audio.split(".")
    kinds = set(message) & set(about(provider).needs)
    return {".".join(parts[:at]) for at in range(1, len(parts) + 1)} | kinds


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wire_with_linear_audio_says_how_a_call_gets_it(provider: str) -> None:
    """So that half a sample is tried with it as well."""
    linear = any(each.sample_bytes == 2 for each in bare(provider).traits.formats)
    wanted = (
        "add linear, the changes to the start that give linear audio, to the line about"
        if linear
        else "take linear from the line about, or list the linear format in formats of the traits"
    )
    assert linear == (about(provider).linear is not None), f"{golden(provider).path}: {wanted}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_golden_call_is_in_a_format_of_the_traits(provider: str) -> None:
    """The table says what a stream may bring."""
    spoken, listed = format_of(golden(provider)), bare(provider).traits.formats
    assert spoken in listed, f"{golden(provider).path}: the call is in {spoken}: list it in formats of the traits"


@pytest.mark.parametrize("provider", LINEAR)
async def test_half_a_sample_waits_for_its_other_half(provider: str) -> None:
    """However linear audio is cut, whole samples are told, in order and none lost; that it was cut is told once."""
    start = linear_start(provider)
    audio = bytes(range(1, 241))
    sizes, cut, at = (1, 1, 3, 0, 80, 7, 1, 1, 240), [], 0
    for size in sizes:
        cut.append(audio[at : at + size])
        at += size
    messages = [audio_message(provider, piece, number) for number, piece in enumerate(cut, 1)]
    leg = PhoneLeg(FakeSocket(json.dumps(start), *messages), fresh(provider))
    started = await leg.start(5)
    assert isinstance(started, CallStarted)
    assert started.audio_format.sample_bytes == 2
    is_swapped = about(provider).big_endian
    assert started.big_endian == is_swapped, f"{provider}: set big_endian of CallStarted to {is_swapped}"
    events: list[PhoneEvent] = []
    await leg.run(events.append)
    heard = [event.audio for event in events if isinstance(event, CallerAudio)]
    assert all(len(piece) % 2 == 0 for piece in heard)
    assert b"".join(heard) == as_heard(provider, audio)
    assert not [event for event in events if isinstance(event, MalformedMessage)]
    assert [event for event in events if isinstance(event, OddMessage)] == [
        OddMessage("audio that ends in half a sample")
    ]
