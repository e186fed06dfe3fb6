"""When a session is replaced before it expires."""

import math

import pytest

from gateway.call.recovery.roll_over import RollOver


@pytest.mark.parametrize(
    ("lasts_s", "prepare_s", "force_s", "last_s"),
    [(3600.0, 3540.0, 3590.0, 3597.0), (20.0, 15.0, 18.0, 19.4), (120.0, 90.0, 110.0, 117.0)],
)
def test_there_is_time_to_prepare_and_to_wait_for_a_pause(
    lasts_s: float, prepare_s: float, force_s: float, last_s: float
) -> None:
    """A minute and ten seconds of an hour; a share of a short life."""
    times = RollOver(0.0)
    times.begin(lasts_s, 100.0)
    found = (times.prepare_at - 100, times.force_at - 100, times.last_at - 100)
    assert found == pytest.approx((prepare_s, force_s, last_s))


def test_a_session_that_does_not_say_when_it_expires_has_the_configured_life() -> None:
    """And none where nothing is configured."""
    times = RollOver(3600.0)
    times.begin(0.0, 0.0)
    assert times.prepare_at == 3540.0
    never = RollOver(0.0)
    never.begin(0.0, 0.0)
    assert (never.prepare_at, never.force_at, never.last_at) == (math.inf, math.inf, math.inf)


def test_a_session_that_could_not_be_prepared_is_asked_for_again_while_there_is_time() -> None:
    """Once each time."""
    times = RollOver(0.0)
    times.begin(20.0, 0.0)
    times.asked()
    assert times.prepare_at == math.inf
    times.failed(15.5)
    assert times.prepare_at == 17.5
    times.failed(17.0)
    assert times.prepare_at == math.inf
