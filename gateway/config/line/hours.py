"""The opening hours of a line, and the settings for callers outside them."""

import datetime
import difflib
import itertools
import re
import zoneinfo
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.config.line.time_zones import time_zone
from gateway.config.line.transfers import TargetReference
from gateway.config.reading.problems import suggestion
from gateway.config.reading.section import Section, Text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "|".join(DAYS)
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_SPAN = rf"{_CLOCK}-({_CLOCK}|24:00)"
_LOOSE_CLOCK = r"(\d{1,2})(?:[:.h](\d{2})?)?"
_EXPECTED = "expected such as 09:00-17:00 or 10:00-12:00,13:00-15:00"
_DAY_MINUTES = 24 * 60


def days_of(text: str) -> tuple[int, ...]:
    """Return the days that ``mon`` or ``fri-mon`` means; 0 is Monday. Raises ValueError."""
    first, dash, last = text.partition("-")
    for day in (first, last) if dash else (first,):
        if day not in DAYS:
            near = _nearest_days(text) or suggestion(day, DAYS)
            raise ValueError(f"is not a day or a range of days such as mon-fri: {near}")
    start = DAYS.index(first)
    count = (DAYS.index(last) - start) % 7 + 1 if dash else 1
    return tuple((start + offset) % 7 for offset in range(count))


def spans_of(text: str) -> tuple[tuple[int, int], ...]:
    """Return start and end of each span in ``09:00-12:00,13:00-17:00``, in minutes from midnight.

    A span that passes midnight ends after minute 1440. Raises ValueError.
    """
    spans = []
    for piece in text.split(","):
        if not re.fullmatch(_SPAN, span := piece.strip()):
            hint = f"write {near}" if (near := _nearest_spans(text)) else _EXPECTED
            raise ValueError(f"is not a time of opening, {hint}")
        start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in span.split("-"))
        if start == end:
            raise ValueError("is not a time of opening: it ends when it begins, expected 00:00-24:00 for a whole day")
        spans.append((start, end if end > start else end + _DAY_MINUTES))
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(sorted(spans))):
        raise ValueError("is not a time of opening: one span begins before another ends")
    return tuple(spans)


def _nearest_days(text: str) -> str:
    """Return ``did you mean …?`` for days that are written out, in capitals or with spaces; else nothing."""
    meant = [day.strip()[:3] for day in re.split("[-\u2013]", text.lower())]
    return f"did you mean {'-'.join(meant)}?" if len(meant) < 3 and set(meant) <= set(DAYS) else ""


def _nearest_spans(text: str) -> str:
    """Return the spans that a text such as ``9:00 - 17.00`` means; nothing if that is not clear."""
    clocks = [[re.fullmatch(_LOOSE_CLOCK, c.strip()) for c in re.split("[-\u2013]", span)] for span in text.split(",")]
    if any(len(span) != 2 or None in span for span in clocks):
        return ""
    meant = ",".join("-".join(f"{c[1]:0>2}:{c[2] or '00'}" for c in span if c) for span in clocks)
    return meant if all(re.fullmatch(_SPAN, span) for span in meant.split(",")) else ""


def nearest_time_zone(name: str) -> str:
    """Return the IANA name that a city or a misspelt name means; nothing if none is near."""
    known = sorted(zoneinfo.available_timezones())
    wanted = name.strip().lower().replace(" ", "_")
    of_the_city = [zone for zone in known if wanted in (zone.lower(), zone.rpartition("/")[2].lower())]
    return next(iter(of_the_city or difflib.get_close_matches(name, known, n=1, cutoff=0.7)), "")


def _days(text: str) -> str:
    days_of(text)
    return str(text)


def _spans(text: str) -> str:
    spans_of(text)
    return str(text)


def _date(text: str) -> str:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date, expected such as 2026-12-25") from None
    return str(text)


DayRange = Annotated[str, AfterValidator(_days), Field(json_schema_extra={"pattern": f"^({_DAY})(-({_DAY}))?$"})]
Spans = Annotated[
    str, AfterValidator(_spans), Field(json_schema_extra={"pattern": rf"^\s*{_SPAN}\s*(,\s*{_SPAN}\s*)*$"})
]
IsoDate = Annotated[str, AfterValidator(_date), Field(json_schema_extra={"pattern": r"^\d{4}-\d{2}-\d{2}$"})]


class Closed(Section):
    """Handles callers outside the hours: words or a recording, then a transfer or the end of the call."""

    say: Text | None = None
    """A text to say word for word."""
    play: Text | None = None
    """An audio file to play (WAV, FLAC, Ogg, MP3, AIFF), at most 60 s; the path is relative to this file."""
    text: Text | None = None
    """The words of the recording; placeholders are not filled in."""
    transfer: TargetReference | None = None
    """The target of the call afterwards: the name of one of the line's transfers."""


class Hours(Section):
    """The opening hours of the line, in its timezone."""

    open: Annotated[Mapping[DayRange, Spans], Field(min_length=1)]
    """Days, mon to sun or a range such as mon-fri, and their hours in quotes: "09:00-12:00,13:00-17:00". A span that
    passes midnight, "22:00-02:00", belongs to the day on which it begins. Other days are closed."""
    holidays: tuple[IsoDate, ...] = ()
    """Dates on which the line stays closed, such as 2026-12-25."""
    closed: Closed
    """Handles callers while the line is closed."""

    def is_open(self, now: datetime.datetime, timezone: str) -> bool:
        """Return ``True`` if the line is open at ``now`` (which has a time zone) by the clocks of ``timezone``."""
        local = now.astimezone(time_zone(timezone))
        minute = local.hour * 60 + local.minute
        today, yesterday = local.date(), local.date() - datetime.timedelta(days=1)
        return self._opens(today, minute) or self._opens(yesterday, minute + _DAY_MINUTES)

    def _opens(self, day: datetime.date, minute: int) -> bool:
        """Return ``True`` if a span that begins on ``day`` contains the minute, counted from that day's midnight."""
        if day.isoformat() in self.holidays:
            return False
        spans = [spans_of(hours) for days, hours in self.open.items() if day.weekday() in days_of(days)]
        return any(start <= minute < end for of_day in spans for start, end in of_day)
