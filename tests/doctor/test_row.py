"""Rows: which of them decides, and which one to begin with."""

import pytest

from gateway.doctor.row import Outcome, Row, exit_code, failed, fine, first_fault, reduced, skipped, unclear

FINE, FAILED = fine("a", "b"), failed("c", "d", "e")
REDUCED, UNCLEAR = reduced("f", "g", "h"), unclear("i", "j", "k")
WRONG = Row("l", Outcome.CONFIGURATION, "m", "n")


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], 0),
        ([FINE, skipped("x", "y")], 0),
        ([FINE, FAILED], 1),
        ([FAILED, WRONG], 2),
        ([UNCLEAR, FINE], 3),
        ([REDUCED], 4),
        ([REDUCED, UNCLEAR], 3),
        ([UNCLEAR, REDUCED, FAILED], 1),
    ],
)
def test_the_gravest_outcome_decides(rows: list[Row], code: int) -> None:
    """Configuration before failure, failure before doubt, doubt before reduction."""
    assert exit_code(rows) == code


def test_one_begins_with_the_first_of_the_gravest() -> None:
    """A reduction before a failure is not what to begin with, and of two failures the first is."""
    other = failed("z", "", "")
    assert first_fault([FINE, REDUCED, FAILED, other]) is FAILED
    assert first_fault([FINE, REDUCED]) is REDUCED
    assert first_fault([FINE, skipped("x", "y")]) is None
