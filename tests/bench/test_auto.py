"""Tests of the report on a gateway that was offered more calls than it can serve."""

from dataclasses import replace

from bench.auto import report
from bench.result import Spread
from tests.bench.test_trial import WELL


def test_the_calls_that_were_taken_are_told_from_those_that_were_not() -> None:
    """With what they suffered, and whether the figures can be trusted."""
    result = replace(WELL, calls=1200, calls_failed=700, to_voice=Spread(1.0, 12.3, 20.0, 9))
    said = report(result)
    assert said.startswith("500 of 1200 calls offered were taken, at ")
    assert "p99 to Voice Live 12.3 ms" in said
    assert "(wanted: below 20 ms)" in said
    assert said.endswith("load trusted: True, undisturbed: True")
