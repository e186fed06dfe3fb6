"""Every wire takes a start without losing the call for what nobody needs, and refuses one that it cannot carry."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.phone.events import CallStarted
from gateway.phone.provider import Grant
from gateway.phone.providers import PROVIDERS
from gateway.phone.shared.call_id import LONGEST
from tests.conformance.transcripts import about, golden, made
from tests.conformance.wires import (
    CALLER,
    GONE,
    NUMBERS,
    SHAPES,
    begin,
    changed,
    format_of,
    free,
    fresh,
    golden_id,
    need_start,
    places,
    refusal,
    start_of,
    unvouched,
)
from tests.phone.any_json import values

NAMED = [name for name in PROVIDERS if about(name).call_id]
"""Their starts name the call."""
PASSING = [name for name in PROVIDERS if about(name).parameters]
"""Their starts carry what the operator passes through."""
CASES = [(provider, place) for provider in PROVIDERS for place in free(provider)]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_golden_start_is_taken(provider: str) -> None:
    """All other tests of starts change it."""
    why = refusal(provider)
    assert not why, f"{golden(provider).path}: the codec refuses the start, and tests that need it are skipped: {why}"


@pytest.mark.parametrize(("provider", "place"), CASES)
def test_a_call_starts_without_what_nobody_needs(provider: str, place: str) -> None:
    """Null, a boolean, an array, an object, nothing at all, or a number in place of any member but the needed ones."""
    golden = begin(provider, json.dumps(start_of(provider)))[0]
    for value in (GONE, *SHAPES, *(() if place in about(provider).means else NUMBERS)):
        started, _ = begin(provider, json.dumps(changed(start_of(provider), place, value)))
        assert started.audio_format == golden.audio_format
        assert (started.call_id, started.caller) == (golden.call_id, CALLER)


@pytest.mark.parametrize("provider", PROVIDERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_call_starts_whatever_the_members_are_that_nobody_needs(provider: str, data: st.DataObject) -> None:
    """Any JSON in any of them, and members that no document knows, at once."""
    message = start_of(provider)
    chosen = data.draw(
        st.lists(st.sampled_from([p for p in free(provider) if p not in about(provider).means]), max_size=4)
    )
    for place in sorted(set(chosen), key=len, reverse=True):  # what is inside first
        message = changed(message, place, data.draw(values))
    message |= {f"x-{name}": value for name, value in data.draw(st.dictionaries(st.text(max_size=5), values)).items()}
    started, _ = begin(provider, json.dumps(message))
    assert all(isinstance(value, str) for value in started.parameters.values())


def with_parameters(provider: str, given: object) -> str:
    """Return the golden start with these parameters."""
    start, place = start_of(provider), about(provider).parameters
    if place == ".":
        return json.dumps(start | (given if isinstance(given, dict) else {}))
    return json.dumps(changed(start, place, given))


@pytest.mark.parametrize("provider", PASSING)
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


@pytest.mark.parametrize("provider", [name for name in PASSING if about(name).parameters != "."])
@pytest.mark.parametrize("given", [None, [], [1], 5, True])
def test_parameters_that_are_none(provider: str, given: object) -> None:
    """An empty array stands for an empty object in some languages; whatever else is no object is noted."""
    _, odd = begin(provider, with_parameters(provider, given))
    assert bool(odd) == (given is not None)


@pytest.mark.parametrize("provider", PASSING)
@pytest.mark.parametrize("value", ['"half \\ud83d"', '"a\nb\tc"', "NaN", "1e999", "9" * 400, '"\\u0000"'])
def test_values_that_strict_readers_refuse(provider: str, value: str) -> None:
    """Half a character, raw line ends, numbers beyond all measure: no reason to lose a call, and nothing unwritable."""
    started, _ = begin(provider, with_parameters(provider, {"x": "VALUE"}).replace('"VALUE"', value))
    assert started.parameters["x"].encode()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_listed_as_needed_is_needed(provider: str) -> None:
    """Of a start with no other member, each is needed: what nobody needs is not to be listed."""
    need_start(provider)
    start = least(provider)
    path = golden(provider).path
    assert is_taken(provider, start), f"{path}: list in needs what a start needs: {json.dumps(start)} is refused"
    for place in set(about(provider).needs) & set(places(start)):
        found = [is_taken(provider, changed(start, place, value)) for value in (GONE, *SHAPES, *NUMBERS)]
        assert not all(found), f"{path}: take {place} from needs: a call starts whatever it is"


def least(provider: str) -> dict[str, Any]:
    """Return the golden start without all that nobody needs."""
    start = start_of(provider)
    for place in sorted(free(provider), key=lambda place: (place.count("."), place), reverse=True):
        if not any(needed.startswith(f"{place}.") for needed in about(provider).needs):
            start = changed(start, place, GONE)
    return start


def is_taken(provider: str, start: object) -> bool:
    """Return whether a call starts, in the golden call's format."""
    try:
        events = fresh(provider).decode(json.dumps(start))
    except WireError:
        return False
    return [event.audio_format for event in events if isinstance(event, CallStarted)] == [format_of(golden(provider))]


@pytest.mark.parametrize("provider", NAMED)
def test_a_start_that_names_another_call_is_refused(provider: str) -> None:
    """Whoever holds the token of one call cannot pass for another."""
    need_start(provider)
    start = changed(start_of(provider), about(provider).call_id, "another-call")
    with pytest.raises(WireError, match="another call"):
        granted(provider, golden_id(provider), start)


@pytest.mark.parametrize("provider", NAMED)
@pytest.mark.parametrize("call_id", ["..", "../../x", "x" * (LONGEST + 1), "a\u0000b"])
def test_a_start_whose_id_is_none_is_refused(provider: str, call_id: str) -> None:
    """Where nothing vouches for the call."""
    need_start(provider)
    start = changed(start_of(provider), about(provider).call_id, call_id)
    with pytest.raises(WireError, match="call's id"):
        unvouched(provider).decode(json.dumps(start))


@pytest.mark.parametrize("provider", NAMED)
def test_a_start_that_names_the_answered_call_is_taken(provider: str) -> None:
    """Its own id, as the provider writes it."""
    need_start(provider)
    call_id = golden_id(provider)
    assert granted(provider, call_id, start_of(provider)) == [call_id]


def granted(provider: str, call_id: str, start: object) -> list[str]:
    """Return the call that a start begins on a stream that our answer granted to ``call_id``."""
    codec = made(provider, Grant("support", call_id), golden(provider).stream.upgrade)
    return [event.call_id for event in codec.decode(json.dumps(start)) if isinstance(event, CallStarted)]
