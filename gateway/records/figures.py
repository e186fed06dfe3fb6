"""Figures of many calls, by day and line: how many, how they ended, how soon callers were answered, what it cost.

The database counts and groups. Times are counted in steps; within a step a percentile is interpolated.
"""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, literal_column, select

from gateway.records.store.database import Database
from gateway.records.store.tables import calls, events, tool_calls, turns
from gateway.records.wanted import Wanted, conditions, cost_unknown

ANSWER_STEP_MS, STOP_STEP_MS = 100, 1
"""The steps in which times are counted: to an answer, and to the order to be silent after a barge-in."""


class Times(Struct):
    """Times in steps of ``step_ms``: how many of each."""

    step_ms: int
    counts: Counter[int] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """The number of times."""
        return self.counts.total()

    def percentile(self, share: float) -> int | None:
        """Return the time in milliseconds that this share of all does not exceed; ``None`` where there is none."""
        left = share * self.count
        for step, count in sorted(self.counts.items()):
            if count and left <= count:
                return round((step + left / count) * self.step_ms)
            left -= count
        return None


class Figures(Struct):
    """The figures of some calls."""

    calls: int = 0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    """Calls by their end reason; ``interrupted`` and ``running`` are those that have none."""
    answers: Times = field(default_factory=lambda: Times(ANSWER_STEP_MS))
    """Milliseconds from the end of a caller's turn to the first sound of the answer."""
    stops: Times = field(default_factory=lambda: Times(STOP_STEP_MS))
    """Milliseconds from the service's word that the caller interrupts to the order that the phone be silent."""
    tools: int = 0
    tools_failed: int = 0
    cost_nanos: Counter[str] = field(default_factory=Counter)
    """The cost in billionths, by currency."""
    cost_unknown: int = 0
    """Calls whose cost is not known."""

    def add(self, other: "Figures") -> None:
        """Add the figures of other calls."""
        self.calls += other.calls
        self.seconds += other.seconds
        self.tools += other.tools
        self.tools_failed += other.tools_failed
        self.cost_unknown += other.cost_unknown
        self.reasons.update(other.reasons)
        self.cost_nanos.update(other.cost_nanos)
        self.answers.counts.update(other.answers.counts)
        self.stops.counts.update(other.stops.counts)


Place = tuple[str, str]
"""A day in UTC, such as 2026-11-29, and a line."""


async def figures_by_day(database: Database, wanted: Wanted) -> dict[Place, Figures]:
    """Return the figures of the wanted calls for each day and line on which there are any."""
    found: dict[Place, Figures] = {}
    day = _day(database)
    async with database.read() as connection:

        async def each(query: Select[Any]) -> list[tuple[Figures, tuple[Any, ...]]]:
            rows = await connection.execute(query.group_by(day, calls.c.line))
            return [(found.setdefault((str(row[0]), row[1]), Figures()), row[2:]) for row in rows]

        for figures, (end, currency, count, seconds, nanos, unknown) in await each(_calls(day, wanted)):
            figures.calls += count
            figures.seconds += float(seconds or 0)
            figures.reasons[end] += count
            figures.cost_unknown += int(unknown)
            if nanos is not None:
                figures.cost_nanos[currency] += int(Decimal(nanos))  # PostgreSQL adds whole numbers to a decimal
        for figures, (step, count) in await each(_answers(day, wanted)):
            figures.answers.counts[step] += count
        for figures, (step, count) in await each(_stops(day, wanted, database.is_sqlite)):
            figures.stops.counts[step] += count
        for figures, (count, failed) in await each(_tools(day, wanted)):
            figures.tools, figures.tools_failed = count, int(failed)
    return found


def summed(parts: Mapping[Place, Figures], *, day: str = "", line: str = "") -> Figures:
    """Return the sum of the figures of a day, of a line, or of all."""
    total = Figures()
    for (its_day, its_line), figures in parts.items():
        if day in ("", its_day) and line in ("", its_line):
            total.add(figures)
    return total


_CALL = calls.c.call_key.concat("")
"""The key of a call, which no index has in this form: SQLite, which keeps no statistics, finds the calls of the time
first and then what belongs to each, and not everything that ever was and then its call."""


def _day(database: Database) -> ColumnElement[Any]:
    """Return the day of a call, in UTC; SQLite has its time as a text that begins with it."""
    if database.is_sqlite:
        return func.substr(calls.c.started, 1, len("2026-11-29"))
    return func.date(func.timezone("UTC", calls.c.started))


def _calls(day: ColumnElement[Any], wanted: Wanted) -> Select[Any]:
    end = case((calls.c.state == "ended", calls.c.reason), else_=calls.c.state)
    return (
        select(
            day,
            calls.c.line,
            end,
            calls.c.currency,
            func.count(),
            func.sum(calls.c.duration_s),
            func.sum(calls.c.cost_nanos),
            func.sum(case((cost_unknown(), 1), else_=0)),
        )
        .where(*conditions(wanted))
        .group_by(end, calls.c.currency)
    )


def _answers(day: ColumnElement[Any], wanted: Wanted) -> Select[Any]:
    step = turns.c.latency_ms // ANSWER_STEP_MS
    return (
        select(day, calls.c.line, step, func.count())
        .join_from(calls, turns, turns.c.call_key == _CALL)
        .where(turns.c.latency_ms.is_not(None), *conditions(wanted))
        .group_by(step)
    )


def _tools(day: ColumnElement[Any], wanted: Wanted) -> Select[Any]:
    failed = func.sum(case((tool_calls.c.outcome.not_in(("ok", "")), 1), else_=0))
    return (
        select(day, calls.c.line, func.count(), failed)
        .join_from(calls, tool_calls, tool_calls.c.call_key == _CALL)
        .where(*conditions(wanted))
    )


def _stops(day: ColumnElement[Any], wanted: Wanted, is_sqlite: bool) -> Select[Any]:
    after = func.json_extract(events.c.fields, "$.after_ms") if is_sqlite else events.c.fields["after_ms"].as_float()
    step = cast(func.round(after), Integer)
    return (
        select(day, calls.c.line, step, func.count())
        .join_from(calls, events, events.c.call_key == _CALL)
        .where(events.c.kind == literal_column("'playback_stopped'"), *conditions(wanted))
        .group_by(step)
    )
