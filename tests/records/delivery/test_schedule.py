"""When a delivery is tried again."""

import pytest

from gateway.records.delivery.schedule import GIVE_UP_S, LONGEST_S, next_try

MIDDLE = 0.5
"""The random number that changes no wait."""


def waits(drawn: float = MIDDLE) -> list[float]:
    """The waits between the tries of a receiver that never takes it and answers at once."""
    now, attempts, found = 1000.0, 1, []
    while (then := next_try(attempts, 1000.0, now, drawn)) is not None:
        found.append(then - now)
        now, attempts = then, attempts + 1
    return found


def test_waits_double_up_to_half_an_hour_and_end_after_a_day() -> None:
    """The last try is at the end of the day, so that all of it is used."""
    found = waits()
    assert found[:4] == [5, 10, 20, 40]
    assert max(found) == LONGEST_S
    assert sum(found) == GIVE_UP_S
    assert len(found) < 60


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 4.0), (1.0, 6.0)])
def test_a_wait_is_shorter_or_longer_by_a_fifth(drawn: float, expected: float) -> None:
    """At random, within these bounds; the day has its length all the same."""
    assert next_try(1, 0.0, 0.0, drawn) == expected
    assert sum(waits(drawn)) == pytest.approx(GIVE_UP_S)


def test_the_wait_that_a_receiver_asks_for_is_kept_up_to_half_an_hour() -> None:
    """It only makes a wait longer."""
    assert next_try(1, 0.0, 0.0, MIDDLE, retry_after_s=90) == 90
    assert next_try(1, 0.0, 0.0, MIDDLE, retry_after_s=1) == 5
    assert next_try(1, 0.0, 0.0, MIDDLE, retry_after_s=1e9) == LONGEST_S


def test_it_is_given_up_after_a_day_and_not_before() -> None:
    """Nor does a number of tries of any size make a wait that cannot be computed."""
    assert next_try(2, 0.0, GIVE_UP_S - 1, MIDDLE) == GIVE_UP_S
    assert next_try(2, 0.0, GIVE_UP_S, MIDDLE) is None
    assert next_try(10_000, 0.0, 0.0, MIDDLE) == LONGEST_S
