"""What is made of trials without and beside refused webhooks."""

import dataclasses

from bench import beside_refusals
from bench.result import Spread
from tests.bench.test_beside_tools import WITHOUT

QUIET = dataclasses.replace(WITHOUT, resident_mb=100.0)
BESIDE = dataclasses.replace(
    WITHOUT, to_phone=Spread(0.2, 6.0, 9.0, 1000), refused=5000, left_out=3, resident_mb=120.0, cpu_percent=31.5
)


def test_the_verdict_compares_the_worse_direction() -> None:
    """Of the trials beside refusals with those without, and the most memory of any."""
    told = beside_refusals.verdict([QUIET, BESIDE, QUIET, BESIDE])
    assert told == ("p99 beside refusals over p99 without: 3.00 (at most 1.5); resident memory 120 MB (at most 300)")


def test_the_table_has_a_row_for_each_trial() -> None:
    """With what was sent beside the calls, and what the calls saw of it."""
    *_, quiet, beside = beside_refusals.table([QUIET, BESIDE]).splitlines()
    assert quiet == "| 0 | 0 | 0.20 / 2.00 | 0.20 / 2.00 | 0 of 2000 | 20.0 | 100 |"
    assert beside == "| 5000 | 3 | 0.20 / 2.00 | 0.20 / 6.00 | 0 of 2000 | 31.5 | 120 |"
