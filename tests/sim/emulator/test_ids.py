import re

import pytest

from gateway.sim.emulator.ids import call_id, event_id, new_id


def test_event_ids_are_22_base62_characters_behind_their_prefix() -> None:
    """An event's id is as long as the service's, and no two are alike."""
    made = {event_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch("event_[0-9A-Za-z]{22}", one) for one in made)


@pytest.mark.parametrize(("native", "length"), [(True, 21), (False, 22)])
def test_the_engine_class_decides_the_length(native: bool, length: int) -> None:
    """Native ids have 21 characters, cascaded ones 22."""
    assert re.fullmatch(f"resp_[0-9A-Za-z]{{{length}}}", new_id("resp", native=native))


def test_native_ids_begin_with_the_time() -> None:
    """Two native ids of the same moment share their first characters; cascaded ones are all random."""
    assert new_id("item", native=True)[5:9] == new_id("item", native=True)[5:9]
    assert new_id("item", native=False)[5:] != new_id("item", native=False)[5:]


def test_call_ids_have_16_characters() -> None:
    """A function call's id is ``call_`` and 16 characters."""
    assert re.fullmatch("call_[0-9A-Za-z]{16}", call_id())
