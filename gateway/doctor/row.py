"""A row: the result of one check, and the remedy. Pure."""

import enum
from collections.abc import Iterable

from msgspec import Struct


class Outcome(enum.StrEnum):
    """The results that a check can have."""

    FINE = "fine"
    """As configured."""
    REDUCED = "reduced"
    """Calls work, but not all that is configured, or not as well."""
    UNCLEAR = "unclear"
    """The check could not tell."""
    FAILED = "failed"
    """Calls would fail."""
    CONFIGURATION = "configuration"
    """The configuration cannot be used."""
    SKIPPED = "skipped"
    """Not checked, because a check before it failed."""


class Row(Struct, frozen=True):
    """The result of one check. ``about`` names the thing that was checked, such as a line's model."""

    name: str
    outcome: Outcome
    detail: str
    remedy: str = ""
    """The next step of the operator; empty for a check that is fine."""
    about: str = ""


_BY_WEIGHT = (
    (Outcome.CONFIGURATION, 2),
    (Outcome.FAILED, 1),
    (Outcome.UNCLEAR, 3),
    (Outcome.REDUCED, 4),
)
"""Outcomes and their exit codes; the first one that occurs decides."""


def exit_code(rows: Iterable[Row]) -> int:
    """Return the exit code of a command: 0 as configured, 1 failed, 2 configuration, 3 unclear, 4 reduced."""
    found = {row.outcome for row in rows}
    return next((code for outcome, code in _BY_WEIGHT if outcome in found), 0)


def first_fault(rows: Iterable[Row]) -> Row | None:
    """Return the first of the gravest rows, which is the one to begin with; ``None`` where nothing is wrong.

    Checks come in the order of cause and effect, so that rows after it may be its consequences.
    """
    known = list(rows)
    for outcome, _ in _BY_WEIGHT:
        for row in known:
            if row.outcome is outcome:
                return row
    return None


def fine(name: str, detail: str, about: str = "") -> Row:
    """Return the row of a check that found nothing wrong."""
    return Row(name, Outcome.FINE, detail, about=about)


def failed(name: str, detail: str, remedy: str, about: str = "") -> Row:
    """Return the row of a check that says that calls would fail."""
    return Row(name, Outcome.FAILED, detail, remedy, about)


def reduced(name: str, detail: str, remedy: str, about: str = "") -> Row:
    """Return the row of a check that says that calls work, reduced."""
    return Row(name, Outcome.REDUCED, detail, remedy, about)


def unclear(name: str, detail: str, remedy: str, about: str = "") -> Row:
    """Return the row of a check that could not tell."""
    return Row(name, Outcome.UNCLEAR, detail, remedy, about)


def skipped(name: str, because: str, about: str = "") -> Row:
    """Return the row of a check that was not made, because the check ``because`` failed."""
    return Row(name, Outcome.SKIPPED, f"not checked, because {because} failed", about=about)
