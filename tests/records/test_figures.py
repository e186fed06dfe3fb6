"""Figures of many calls."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.records.figures import Figures, Times, figures_by_day, summed
from gateway.records.rows import CallRow, Row
from gateway.records.store.database import Database
from gateway.records.wanted import Wanted
from tests.records.kept import NINE, TOLD, keep, rows_of

STOPPED = (*TOLD[:14], (7000.0, notes.PlaybackStopped(1.6)), *TOLD[14:])
SILENT = (
    (0.0, notes.CallStarted("+14155550111", "+14255550100", "3f")),
    (60_000.0, notes.CallEnded(EndReason.SILENCE, "caller", "", "twilio", 60.0, 1)),
)


def priced(rows: list[Row], nanos: int | None, currency: str = "USD") -> list[Row]:
    """The rows of a call that has cost so much."""
    return [replace(row, cost_nanos=nanos, currency=currency) if isinstance(row, CallRow) else row for row in rows]


def calls() -> list[Row]:
    """Two calls of one day and two lines; two of the day after, one of which goes on."""
    return [
        *priced(rows_of("k1", told=STOPPED), 3_000_000),
        *priced(rows_of("k2", told=SILENT, started=NINE + timedelta(hours=14, minutes=59), line="sales"), None, ""),
        *priced(rows_of("k3", told=STOPPED, started=NINE + timedelta(hours=15)), 4_000_000),
        *priced(rows_of("k4", told=TOLD[:9], started=NINE + timedelta(hours=16)), None, ""),
    ]


async def found(url: str, **wanted: Any) -> dict[tuple[str, str], Figures]:
    """The figures of these calls."""
    async with Database(url) as database:
        await database.migrate()
        await keep(database, calls())
        return await figures_by_day(database, Wanted(**wanted))


async def test_calls_are_counted_by_day_and_line(database_url: str) -> None:
    """The days are those of UTC; a call that goes on is none that has ended."""
    figures = await found(database_url)
    assert {place: (one.calls, dict(one.reasons)) for place, one in figures.items()} == {
        ("2026-11-29", "support"): (1, {"transferred": 1}),
        ("2026-11-29", "sales"): (1, {"silence": 1}),
        ("2026-11-30", "support"): (2, {"transferred": 1, "running": 1}),
    }


async def test_answers_stops_tools_and_cost_are_those_of_the_calls(database_url: str) -> None:
    """An answer of 900 ms, a stop after 1.6 ms, a tool that failed; a cost that is not known is counted as such."""
    one = (await found(database_url))["2026-11-29", "support"]
    assert dict(one.answers.counts) == {9: 1}
    assert dict(one.stops.counts) == {2: 1}
    assert (one.tools, one.tools_failed) == (1, 1)
    assert (dict(one.cost_nanos), one.cost_unknown) == ({"USD": 3_000_000}, 0)
    assert one.seconds == pytest.approx(9.5)


async def test_only_wanted_calls_are_counted(database_url: str) -> None:
    """By line, by time."""
    assert set(await found(database_url, line="sales")) == {("2026-11-29", "sales")}
    later = await found(database_url, since=NINE + timedelta(hours=15))
    assert set(later) == {("2026-11-30", "support")}
    assert later["2026-11-30", "support"].answers.count == 1


async def test_sums_are_of_a_day_a_line_or_all(database_url: str) -> None:
    """Times are added as such, so that a percentile of a sum is one of all its calls."""
    figures = await found(database_url)
    assert summed(figures).calls == 4
    assert summed(figures, line="support").calls == 3
    assert summed(figures, day="2026-11-29").reasons == Counter(transferred=1, silence=1)
    assert summed(figures).answers.count == 2
    assert dict(summed(figures).cost_nanos) == {"USD": 7_000_000}
    assert summed(figures).cost_unknown == 2
    assert summed({}).calls == 0


def test_a_percentile_stands_within_its_step() -> None:
    """Of a hundred times that are spread evenly over a second, the half is at half a second."""
    times = Times(100, Counter(dict.fromkeys(range(10), 10)))
    assert times.count == 100
    assert [times.percentile(share) for share in (0.01, 0.5, 0.95, 1.0)] == [10, 500, 950, 1000]
    assert Times(100).percentile(0.5) is None
