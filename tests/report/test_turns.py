"""The turns of a call."""

import pytest

from gateway.report.turns import GOOD_STOP_MS, BargeIn

JUDGED = [(0, True), (GOOD_STOP_MS, True), (GOOD_STOP_MS + 1, False), (None, False)]


@pytest.mark.parametrize(("stopped_ms", "good"), JUDGED)
def test_a_bot_that_falls_silent_soon_was_interrupted_well(stopped_ms: int | None, good: bool) -> None:
    """As soon as a person would; one that speaks on was not."""
    assert BargeIn(100, stopped_ms).good == good
