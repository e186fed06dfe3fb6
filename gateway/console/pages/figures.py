"""*Figures*: how many calls, how soon they were answered, how they ended, what they cost, by day and line."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aiohttp import web
from msgspec import Struct

from gateway.console.charts import MEDIAN, NEARLY_ALL, charts_of, days_until, midnight, share
from gateway.console.rendering import render
from gateway.console.route import Route
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.records.figures import Figures, Place, figures_by_day, summed
from gateway.records.listing import lines_of
from gateway.records.pricing import money
from gateway.records.wanted import Wanted
from gateway.report.ends import FINE

PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days"}
_USUAL = "30"


class Row(Struct, frozen=True):
    """The figures of a day or a line, in words."""

    name: str
    calls: int
    minutes: str
    answer: str
    answer_p95: str
    stop: str
    failed: str
    tools_failed: str
    cost: str


async def figures(request: web.Request) -> web.Response:
    """Return the page."""
    asked = request.query.get("days", _USUAL)
    days, line = (asked if asked in PERIODS else _USUAL), request.query.get("line", "")
    today = midnight(datetime.now(UTC))
    since = today - timedelta(days=int(days) - 1)
    database = console_of(request).records
    parts = {} if database is None else await figures_by_day(database, Wanted(since=since, line=line))
    dates = days_until(today.date(), int(days))
    named = sorted({name for _, name in parts})
    with_calls = [date for date in reversed(dates) if any(day == date for day, _ in parts)]
    return render(
        request,
        "figures.html.j2",
        charts=[chart for chart in charts_of(parts, dates) if not chart.is_empty],
        total=_row("all", parts),
        by_line=[_row(name, {place: part for place, part in parts.items() if place[1] == name}) for name in named],
        by_day=[_row(date, {place: part for place, part in parts.items() if place[0] == date}) for date in with_calls],
        periods=PERIODS,
        days=days,
        line=line,
        lines=[] if database is None else await lines_of(database),
        has_records=database is not None,
    )


def _row(name: str, parts: Mapping[Place, Figures]) -> Row:
    total = summed(parts)
    ended = total.calls - total.reasons["running"]
    failed = sum(count for reason, count in total.reasons.items() if reason not in FINE and reason != "running")
    return Row(
        name=name,
        calls=total.calls,
        minutes=f"{total.seconds / 60:,.0f}",
        answer=_ms(total.answers.percentile(MEDIAN)),
        answer_p95=_ms(total.answers.percentile(NEARLY_ALL)),
        stop=_ms(total.stops.percentile(NEARLY_ALL)),
        failed=_percent(share(failed, ended)),
        tools_failed=_percent(share(total.tools_failed, total.tools)),
        cost=", ".join(money(nanos, currency) for currency, nanos in sorted(total.cost_nanos.items())),
    )


def _ms(value: int | None) -> str:
    return "" if value is None else f"{value:,} ms"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:g} %"


ROUTES = (Route("GET", "/figures", figures, Need.VIEWER),)
