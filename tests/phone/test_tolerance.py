"""What every wire takes without losing the call: members that nobody needs, early messages, half samples."""

import asyncio
import base64
import copy
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app import make_provider
from gateway.config.providers import settings_of
from gateway.errors import WireError
from gateway.phone.events import CallerAudio, CallStarted, MalformedMessage, OddMessage, PhoneClosed, PhoneEvent
from gateway.phone.leg import PhoneLeg
from gateway.phone.provider import Codec, Grant, Upgrade
from gateway.phone.providers import PROVIDERS
from tests.fakes import FakeSocket
from tests.phone.any_json import values
from tests.phone.golden import transcript

CALLER = "+14155550123"
GOLDEN = {name: "json" if name == "asterisk" else "call" for name in PROVIDERS}
START_AT = {"twilio": 1, "signalwire": 1, "cloudonix": 1, "telnyx": 1, "exotel": 1}
"""Which of the provider's messages is the start; of the others, the first."""

CAMEL = {"event", "start", "start.streamSid", "start.mediaFormat", "start.mediaFormat.encoding"}
CHECKPOINT = {"event", "start", "start.streamId", "start.mediaFormat", "start.mediaFormat.encoding"}
NEEDED: Mapping[str, set[str]] = {
    "twilio": CAMEL,
    "signalwire": CAMEL,
    "cloudonix": CAMEL,
    "telnyx": {"event", "start", "start.media_format", "start.media_format.encoding"},
    "exotel": {"event", "start", "start.stream_sid", "start.media_format.encoding"},
    "plivo": CHECKPOINT,
    "vobiz": CHECKPOINT,
    "vonage": {"event", "content-type"},
    "genesys": {
        *("type", "id", "parameters", "parameters.media", "parameters.media.0", "parameters.media.0.type"),
        *("parameters.media.0.format", "parameters.media.0.channels", "parameters.media.0.channels.0"),
        "parameters.media.0.rate",
    },
    "acs": {"kind", "audioMetadata", "audioMetadata.encoding", "audioMetadata.sampleRate"},
    "bandwidth": {"eventType", "metadata", "metadata.tracks.0.mediaFormat.encoding"},
    "jambonz": {"sampleRate"},
    "asterisk": {"event", "format"},
}
"""The members without which a stream cannot be carried, by their place."""
MEANT = frozenset(
    {
        *("start.mediaFormat.sampleRate", "start.mediaFormat.channels"),
        *("start.media_format.sample_rate", "start.media_format.channels", "audioMetadata.channels"),
        *("metadata.tracks.0.name", "metadata.tracks.0.mediaFormat.sampleRate"),
        *("version", "seq", "serverseq", "mixType", "optimal_frame_size"),
        *("start.callSid", "start.call_control_id", "start.call_sid", "start.callId", "call_uuid", "callSid"),
        *("parameters.conversationId", "metadata.callId", "channel_id"),
    }
)
"""Members that say something where they are a number or a text: they may be missing, null or of another shape."""
SHAPES: tuple[object, ...] = (None, True, False, [], {}, "", [1], {"a": [{}]})
"""What is neither text nor number, or empty."""
NUMBERS = (7, -1, 0.5, 10**30)
GONE = object()


def fresh(provider: str) -> Codec:
    """A wire before its start."""
    return made(provider, Grant("support", golden_id(provider), CALLER, "+14255550100"))


def made(provider: str, grant: Grant) -> Codec:
    """The wire of a stream that came with this grant."""
    return make_provider(provider, settings_of(provider)()).codec(Upgrade(), grant)


@functools.cache
def golden_id(provider: str) -> str:
    """The id of the golden call: our answer document vouched for it, so that it need not come with the start."""
    events = made(provider, Grant()).decode(json.dumps(start_of(provider)))
    return next(event.call_id for event in events if isinstance(event, CallStarted)) or "granted"


def from_provider(provider: str) -> list[str | bytes]:
    """What the provider sends in its golden transcript."""
    return [message for direction, message in transcript(provider, GOLDEN[provider]) if direction == "in"]


def start_of(provider: str) -> dict[str, Any]:
    """The golden start."""
    message = from_provider(provider)[START_AT.get(provider, 0)]
    assert isinstance(message, str)
    read: dict[str, Any] = json.loads(message)
    return read


def places(value: object, prefix: str = "") -> Iterator[str]:
    """The place of every member, such as ``start.tracks.0``."""
    members: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for name, inner in members:
        yield f"{prefix}{name}"
        yield from places(inner, f"{prefix}{name}.")


def changed(message: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """The message with another value at that place, or without it."""
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
    """The places of the start that nobody needs."""
    return [place for place in places(start_of(provider)) if place not in NEEDED[provider]]


def begin(provider: str, start: str) -> tuple[CallStarted, list[OddMessage]]:
    """The call that a start makes, and what was odd about it."""
    events = [event for event in fresh(provider).decode(start) if isinstance(event, CallStarted | OddMessage)]
    assert isinstance(events[0], CallStarted)
    return events[0], [event for event in events[1:] if isinstance(event, OddMessage)]


CASES = [(provider, place) for provider in PROVIDERS for place in free(provider)]


@pytest.mark.parametrize(("provider", "place"), CASES)
def test_a_call_starts_without_what_nobody_needs(provider: str, place: str) -> None:
    """Null, a boolean, an array, an object, nothing at all, or a number in place of any member but the needed ones."""
    golden = begin(provider, json.dumps(start_of(provider)))[0]
    for value in (GONE, *SHAPES, *(() if place in MEANT else NUMBERS)):
        started, _ = begin(provider, json.dumps(changed(start_of(provider), place, value)))
        assert started.audio_format == golden.audio_format
        assert (started.call_id, started.caller) == (golden.call_id, CALLER)


@pytest.mark.parametrize("provider", PROVIDERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_call_starts_whatever_the_members_are_that_nobody_needs(provider: str, data: st.DataObject) -> None:
    """Any JSON in any of them, and members that no document knows, at once."""
    message = start_of(provider)
    chosen = data.draw(st.lists(st.sampled_from([p for p in free(provider) if p not in MEANT]), max_size=4))
    for place in sorted(set(chosen), key=len, reverse=True):  # what is inside first
        message = changed(message, place, data.draw(values))
    message |= {f"x-{name}": value for name, value in data.draw(st.dictionaries(st.text(max_size=5), values)).items()}
    started, _ = begin(provider, json.dumps(message))
    assert all(isinstance(value, str) for value in started.parameters.values())


PARAMETERS = {
    "twilio": "start.customParameters",
    "signalwire": "start.customParameters",
    "cloudonix": "start.customParameters",
    "telnyx": "start.custom_parameters",
    "exotel": "start.custom_parameters",
    "plivo": "extra_headers",
    "vobiz": "extra_headers",
    "bandwidth": "streamParams",
    "genesys": "parameters.inputVariables",
    "asterisk": "channel_variables",
}
"""Where a start carries what the operator passes through; in the others beside its own members."""


def with_parameters(provider: str, given: object) -> str:
    """The golden start with these parameters."""
    start = start_of(provider)
    if provider not in PARAMETERS:
        return (
            json.dumps(start | (given if isinstance(given, dict) else {})) if provider != "acs" else json.dumps(start)
        )
    return json.dumps(changed(start, PARAMETERS[provider], given))


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"acs"}))
def test_parameters_become_texts(provider: str) -> None:
    """Null is absent, a number is its text, and another shape is left out and named by its place."""
    given = {"n": 42, "f": 1.5, "t": "x", "e": "", "yes": True, "no": False, "none": None, "a": ["secret"], "o": {}}
    started, odd = begin(provider, with_parameters(provider, given))
    found = {name: value for name, value in started.parameters.items() if name in given}
    assert found == {"n": "42", "f": "1.5", "t": "x", "e": "", "yes": "true", "no": "false"}
    told = " ".join(event.detail for event in odd)
    assert len(odd) == 2
    assert ".a is an array, expected text" in told
    assert ".o is an object, expected text" in told
    assert "secret" not in told


@pytest.mark.parametrize("provider", sorted(PARAMETERS))
@pytest.mark.parametrize("given", [None, [], [1], 5, True])
def test_parameters_that_are_none(provider: str, given: object) -> None:
    """An empty array stands for an empty object in some languages; whatever else is no object is noted."""
    _, odd = begin(provider, with_parameters(provider, given))
    assert bool(odd) == (given is not None)


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"acs"}))
@pytest.mark.parametrize("value", ['"half \\ud83d"', '"a\nb\tc"', "NaN", "1e999", "9" * 400, '"\\u0000"'])
def test_values_that_strict_readers_refuse(provider: str, value: str) -> None:
    """Half a character, raw line ends, numbers beyond all measure: no reason to lose a call, and nothing unwritable."""
    started, _ = begin(provider, with_parameters(provider, {"x": "VALUE"}).replace('"VALUE"', value))
    assert started.parameters["x"].encode()


# Before the start

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
    at = START_AT.get(provider, 0)
    golden = [*from_provider(provider)[:at], *from_provider(provider)[at + 1 :]]
    sent = [message for message in golden if not ends(provider, message)]
    return [*sent * 80, "", b"", *ODD_AND_EARLY]


def ends(provider: str, message: str | bytes) -> bool:
    """Whether this is the end of a call; or where messages are numbered, so that one cannot stand elsewhere."""
    return isinstance(message, str) and (provider == "genesys" or '"stop"' in message)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_comes_before_the_start_is_let_go(provider: str) -> None:
    """Neither what it is nor how much of it there is turns the call away; it is counted by kind and told once."""
    start, before = json.dumps(start_of(provider)), early(provider)
    leg = PhoneLeg(FakeSocket(*before, start), fresh(provider))
    assert isinstance(await leg.start(5), CallStarted)
    events: list[PhoneEvent] = []
    await leg.run(events.append)
    told = [event for event in events if not isinstance(event, PhoneClosed)]
    assert [type(event) for event in told] == [OddMessage]
    assert "2 × an empty message" in str(told)
    assert provider == "genesys" or "80 × audio" in str(told) or "160 × audio" in str(told)


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


# In the call


def is_audio(provider: str, message: str | bytes) -> bool:
    """Whether it is a frame of the caller's."""
    codec = fresh(provider)
    codec.decode(json.dumps(start_of(provider)))
    try:
        return any(isinstance(event, CallerAudio) for event in codec.decode(message))
    except WireError:
        return False


BESIDE = frozenset({"event", "eventType", "kind", "media", "media.payload", "payload", "audioData", "audioData.data"})
JSON_AUDIO = sorted(set(PROVIDERS) - {"vonage", "genesys", "jambonz", "asterisk"})


@pytest.mark.parametrize("provider", JSON_AUDIO)
def test_audio_is_heard_whatever_stands_beside_it(provider: str) -> None:
    """Numbers, times, tracks and ids of any shape cost nobody a word."""
    message = next(message for message in from_provider(provider) if is_audio(provider, message))
    read = json.loads(message)
    heard = next(iter(begun(provider).decode(message)))
    assert isinstance(heard, CallerAudio)
    for place in set(places(read)) - BESIDE:
        for value in (GONE, *SHAPES, *NUMBERS):
            if place == "audioData.silent" and value is True:
                continue
            assert heard in begun(provider).decode(json.dumps(changed(read, place, value))), (place, value)


def begun(provider: str) -> Codec:
    """A wire whose call has started."""
    codec = fresh(provider)
    codec.decode(json.dumps(start_of(provider)))
    return codec


L16 = {
    "signalwire": ({"start.mediaFormat.encoding": "audio/x-l16", "start.mediaFormat.sampleRate": 16000}),
    "plivo": ({"start.mediaFormat.encoding": "audio/x-l16", "start.mediaFormat.sampleRate": 16000}),
    "vobiz": ({"start.mediaFormat.encoding": "audio/x-l16", "start.mediaFormat.sampleRate": 16000}),
    "telnyx": (
        {
            "start.media_format.encoding": "L16",
            "start.media_format.sample_rate": 16000,
            "start.custom_parameters.bidirectional_codec": "L16",
        }
    ),
    "exotel": {},
    "vonage": {},
    "acs": {},
    "jambonz": {},
    "asterisk": {"format": "slin16", "optimal_frame_size": 640},
}
"""What is to be changed in the golden start for linear audio."""


def audio_message(provider: str, audio: bytes, number: int) -> str | bytes:
    """A frame of the caller's as the provider writes it."""
    golden = next(message for message in from_provider(provider) if is_audio(provider, message))
    if isinstance(golden, bytes):
        return audio
    read = json.loads(golden)
    place = "audioData.data" if provider == "acs" else "media.payload"
    read = changed(read, place, base64.b64encode(audio).decode())
    return json.dumps(changed(read, "media.chunk", str(number)) if provider == "telnyx" else read)


def test_every_wire_with_linear_audio_is_known_here() -> None:
    """One that is added has to be tried as well."""
    linear = {
        name
        for name in PROVIDERS
        if any(f.sample_bytes == 2 for f in make_provider(name, settings_of(name)()).traits.formats)
    }
    assert linear == set(L16)


@pytest.mark.parametrize("provider", L16)
async def test_half_a_sample_waits_for_its_other_half(provider: str) -> None:
    """However linear audio is cut, whole samples are told, in order and none lost; that it was cut is told once."""
    start = start_of(provider)
    for place, value in L16[provider].items():
        start = changed(start, place, value)
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
    events: list[PhoneEvent] = []
    await leg.run(events.append)
    heard = [event.audio for event in events if isinstance(event, CallerAudio)]
    assert all(len(piece) % 2 == 0 for piece in heard)
    swapped = b"".join(audio[i : i + 2][::-1] for i in range(0, len(audio), 2))
    assert b"".join(heard) == (swapped if provider == "telnyx" else audio)
    assert not [event for event in events if isinstance(event, MalformedMessage)]
    assert [event for event in events if isinstance(event, OddMessage)] == [
        OddMessage("audio that ends in half a sample")
    ]
