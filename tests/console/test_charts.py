"""Pictures of figures."""

from collections import Counter
from datetime import UTC, date, datetime

from gateway.console.charts import MOST, charts_of, days_until, midnight, share
from gateway.records.figures import Figures, Times

DAYS = ["2026-11-28", "2026-11-29", "2026-11-30"]


def figures(calls: int, reason: str = "caller_hung_up", **more: object) -> Figures:
    """The figures of some calls that ended alike."""
    return Figures(calls=calls, reasons=Counter({reason: calls}), **more)  # type: ignore[arg-type]  # by name


def test_every_day_has_a_value() -> None:
    """Counts are zero on a day without calls, times are none."""
    parts = {
        ("2026-11-29", "support"): figures(3, answers=Times(100, Counter({9: 2}))),
        ("2026-11-30", "sales"): figures(
            1, "voice_lost", tools=4, tools_failed=1, cost_nanos=Counter(USD=2_500_000_000)
        ),
    }
    charts = {chart.title: chart for chart in charts_of(parts, DAYS)}
    assert [(one.name, one.values) for one in charts["Calls"].series] == [("support", [0, 3, 0]), ("sales", [0, 0, 1])]
    assert [one.values for one in charts["Time to answer"].series] == [[None, 950, None], [None, 995, None]]
    assert [(one.name, one.values, one.tone) for one in charts["Ends"].series] == [
        ("caller hung up", [0, 3, 0], "s1"),
        ("voice lost", [0, 0, 1], "s5"),
    ]
    assert charts["Tools that failed"].series[0].values == [None, None, 25.0]
    assert (charts["Cost"].series[0].values, charts["Cost"].currency) == ([0.0, 0.0, 2.5], "USD")
    assert charts["Stop after a barge-in"].is_empty
    assert not charts["Calls"].is_empty


def test_many_lines_are_some_and_others() -> None:
    """The largest keep their names; nothing is lost."""
    parts = {("2026-11-29", f"line{n}"): figures(20 - n) for n in range(12)}
    series = charts_of(parts, DAYS)[0].series
    assert [one.name for one in series] == [*(f"line{n}" for n in range(MOST)), "others"]
    assert sum(value or 0 for one in series for value in one.values) == sum(20 - n for n in range(12))


def test_days_end_today() -> None:
    """The oldest first."""
    assert days_until(date(2026, 12, 1), 3) == ["2026-11-29", "2026-11-30", "2026-12-01"]
    assert midnight(datetime(2026, 12, 1, 9, 30, tzinfo=UTC)) == datetime(2026, 12, 1, tzinfo=UTC)
    assert (share(1, 8), share(0, 0)) == (12.5, None)
