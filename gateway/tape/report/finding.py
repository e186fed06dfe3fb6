"""The parts of a report: facts, and differences from what is assumed."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

EXAMPLES = 3
"""Times of one finding that are shown."""


class Finding(Struct, frozen=True):
    """A difference: its ``kind`` is a word for scripts, ``detail`` says it to people."""

    kind: str
    side: str
    detail: str
    line: int = 0
    """The line of the tape where it is seen first."""
    at_s: float = 0.0
    count: int = 1
    verbatim: str = ""
    """A peer's own words."""


class Report(Struct, frozen=True):
    """The facts and the differences that a tape shows."""

    facts: dict[str, Any]
    findings: list[Finding]


def gathered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of the tape, equal ones as one with their number."""
    found: dict[tuple[str, str, str, str], Finding] = {}
    for one in findings:
        key = (one.kind, one.side, one.detail, one.verbatim)
        known = found.get(key)
        found[key] = one if known is None else replace(known, count=known.count + one.count)
    return sorted(found.values(), key=lambda one: one.at_s)
