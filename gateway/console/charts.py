"""Pictures of figures, as a script draws them: a row of days, and a series of values for each. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct, to_builtins

from gateway.console.wording import reason_words, tone_of
from gateway.records.figures import Figures, Place, Times, summed
from gateway.records.pricing import NANOS

MEDIAN, NEARLY_ALL = 0.5, 0.95
MOST = 5
"""Most series of a picture by name; the smaller ones are one."""
_OTHERS = "others"

Value = float | int | None


class Series(Struct, frozen=True):
    """The values of one name, one for each day; ``None`` where there is none. ``tone`` is the class of its colour."""

    name: str
    values: list[Value]
    tone: str


class Chart(Struct, frozen=True):
    """A picture. Bars stand on each other, lines do not."""

    title: str
    what: str
    unit: Literal["", "ms", "%", "money"]
    kind: Literal["bars", "lines"]
    series: list[Series]
    days: list[str]
    currency: str = ""

    @property
    def data(self) -> object:
        """The picture as plain values, for JSON."""
        return to_builtins(self)

    @property
    def is_empty(self) -> bool:
        """``True`` if there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)


def days_until(today: date, count: int) -> list[str]:
    """Return so many days, the last one ``today``."""
    return [(today - timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1)]


def charts_of(parts: Mapping[Place, Figures], days: Sequence[str]) -> list[Chart]:
    """Return all pictures of the figures of some days."""
    by_day = [summed(parts, day=day) for day in days]
    dates = list(days)
    return [
        Chart("Calls", "by line", "", "bars", _calls(parts, days), dates),
        Chart(
            "Time to answer",
            "from the end of the caller's words to the first sound of the answer",
            "ms",
            "lines",
            _percentiles([one.answers for one in by_day]),
            dates,
        ),
        Chart("Ends", "by reason", "", "bars", _ends(by_day), dates),
        Chart(
            "Stop after a barge-in",
            "from the service's word that the caller speaks to the order that the phone be silent",
            "ms",
            "lines",
            _percentiles([one.stops for one in by_day]),
            dates,
        ),
        Chart("Tools that failed", "of all runs", "%", "lines", [_failures(by_day)], dates),
        *_costs(by_day, dates),
    ]


def _calls(parts: Mapping[Place, Figures], days: Sequence[str]) -> list[Series]:
    counts = Counter[str]()
    for (_, line), figures in parts.items():
        counts[line] += figures.calls
    rows = [Counter({line: parts[day, line].calls for line in counts if (day, line) in parts}) for day in days]
    return _stacked(counts, rows, {})


def _ends(by_day: Sequence[Figures]) -> list[Series]:
    counts = Counter[str]()
    for figures in by_day:
        counts.update(figures.reasons)
    failures = {reason: "s5" for reason in counts if tone_of(reason) == "bad" and reason != "running"}
    return [
        Series(reason_words(one.name), one.values, one.tone)
        for one in _stacked(counts, [figures.reasons for figures in by_day], failures)
    ]


def _stacked(totals: Counter[str], rows: Sequence[Counter[str]], tones: Mapping[str, str]) -> list[Series]:
    """Return a series for each of the largest names, and one for the rest."""
    names = [name for name, _ in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))]
    shown = names if len(names) <= MOST + 1 else names[:MOST]
    free = iter([tone for tone in ("s1", "s2", "s3", "s4", "s7", "s8") if tone not in tones.values()])
    made = [Series(name, [row[name] for row in rows], tones.get(name) or next(free, "s6")) for name in shown]
    if rest := names[len(shown) :]:
        made.append(Series(_OTHERS, [sum(row[name] for name in rest) for row in rows], "s6"))
    return made


def _percentiles(times: Sequence[Times]) -> list[Series]:
    return [
        Series("median", [one.percentile(MEDIAN) for one in times], "s1"),
        Series("p95", [one.percentile(NEARLY_ALL) for one in times], "s2"),
    ]


def _failures(by_day: Sequence[Figures]) -> Series:
    return Series("failed", [share(one.tools_failed, one.tools) for one in by_day], "s5")


def share(part: int, whole: int) -> float | None:
    """Return a share in percent; ``None`` of nothing."""
    return round(100 * part / whole, 1) if whole else None


def _costs(by_day: Sequence[Figures], dates: list[str]) -> list[Chart]:
    currencies = sorted({currency for figures in by_day for currency in figures.cost_nanos})
    return [
        Chart(
            "Cost",
            f"in {currency}, of the calls whose cost is known",
            "money",
            "bars",
            [Series("cost", [float(one.cost_nanos[currency] / NANOS) for one in by_day], "s1")],
            dates,
            currency,
        )
        for currency in currencies or [""]
    ]


def midnight(now: datetime) -> datetime:
    """Return the beginning of a day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
