import datetime
import zoneinfo
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.line.hours import DAYS, Closed, Hours, days_of, nearest_time_zone, spans_of

LineErrors = Callable[..., list[str]]
CLOSED = "closed: {say: We are closed.}"


def hours(opening: dict[str, str], *holidays: str) -> Hours:
    """Hours with the least that callers meet outside of them."""
    return Hours(open=opening, holidays=holidays, closed=Closed(say="Closed."))


def is_open(when: str, opening: dict[str, str], *holidays: str) -> bool:
    """Whether a line in UTC is open; 2026-03-06 is a Friday."""
    now = datetime.datetime.fromisoformat(when).replace(tzinfo=datetime.UTC)
    return hours(opening, *holidays).is_open(now, "UTC")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-03-06 08:59", False),
        ("2026-03-06 09:00", True),
        ("2026-03-06 16:59", True),
        ("2026-03-06 17:00", False),
        ("2026-03-07 10:30", True),
        ("2026-03-07 12:30", False),
        ("2026-03-07 14:30", True),
        ("2026-03-08 10:30", False),
    ],
)
def test_a_line_is_open_within_its_hours(when: str, expected: bool) -> None:
    """From the first minute to before the last; a day that is not named is closed."""
    assert is_open(when, {"mon-fri": "09:00-17:00", "sat": "10:00-12:00,13:00-15:00"}) is expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-03-06 01:00", False),
        ("2026-03-06 22:00", True),
        ("2026-03-07 01:59", True),
        ("2026-03-07 02:00", False),
        ("2026-03-07 22:00", False),
    ],
)
def test_a_span_that_passes_midnight_belongs_to_the_day_it_begins_on(when: str, expected: bool) -> None:
    """Friday's night goes on into Saturday, and Thursday has none."""
    assert is_open(when, {"fri": "22:00-02:00"}) is expected


def test_a_holiday_does_not_open() -> None:
    """But what began the evening before goes on, and what would begin on it does not even after midnight."""
    nights = {"mon-sun": "22:00-02:00"}
    assert is_open("2026-12-25 01:00", nights, "2026-12-25")
    assert not is_open("2026-12-25 23:00", nights, "2026-12-25")
    assert not is_open("2026-12-26 01:00", nights, "2026-12-25")
    assert is_open("2026-12-26 23:00", nights, "2026-12-25")


def test_the_clock_is_that_of_the_line() -> None:
    """Nine in Berlin is seven in UTC in summer and eight in winter."""
    berlin = hours({"mon-fri": "09:00-17:00"})
    summer = datetime.datetime(2026, 7, 6, 7, 30, tzinfo=datetime.UTC)
    winter = datetime.datetime(2026, 12, 7, 7, 30, tzinfo=datetime.UTC)
    assert berlin.is_open(summer, "Europe/Berlin")
    assert not berlin.is_open(winter, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("mon", "mon"), ("mon-wed", "mon tue wed"), ("fri-mon", "fri sat sun mon"), ("sun-sun", "sun")],
)
def test_a_range_of_days_may_pass_the_week_s_end(text: str, expected: str) -> None:
    """fri-mon is a long week end."""
    assert " ".join(DAYS[day] for day in days_of(text)) == expected


MINUTES = st.integers(0, 24 * 60 - 1)
MOMENTS = st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2100, 1, 1))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland"])


def clock(minute: int) -> str:
    """A minute of the day as the file writes it."""
    return f"{minute // 60:02}:{minute % 60:02}"


@given(MOMENTS, ZONES)
def test_a_line_that_is_always_open_is(moment: datetime.datetime, zone: str) -> None:
    """Whatever the day, the hour and the zone, changes of the clock included."""
    now = moment.replace(tzinfo=datetime.UTC)
    assert hours({"mon-sun": "00:00-24:00"}).is_open(now, zone)


@given(MOMENTS, ZONES, MINUTES, MINUTES)
def test_a_span_and_the_rest_of_the_day_are_never_both_open(
    moment: datetime.datetime, zone: str, start: int, end: int
) -> None:
    """Every day from start to end, or else from end to start: one of them is open, and only one."""
    if start == end:
        return
    now = moment.replace(tzinfo=datetime.UTC)
    within = hours({"mon-sun": f"{clock(start)}-{clock(end)}"}).is_open(now, zone)
    without = hours({"mon-sun": f"{clock(end)}-{clock(start)}"}).is_open(now, zone)
    assert within is not without


@given(MOMENTS, ZONES, st.sampled_from(DAYS))
def test_a_day_is_open_on_that_day_alone(moment: datetime.datetime, zone: str, day: str) -> None:
    """The day is that of the line's own calendar."""
    now = moment.replace(tzinfo=datetime.UTC)
    weekday = DAYS[now.astimezone(zoneinfo.ZoneInfo(zone)).weekday()]
    assert hours({day: "00:00-24:00"}).is_open(now, zone) is (day == weekday)


def test_spans_are_minutes_from_midnight_to_midnight() -> None:
    """A span that passes midnight ends beyond the day."""
    assert spans_of("09:00-12:00, 22:00-02:00") == ((540, 720), (1320, 1560))
    assert spans_of("09:30-12:45,13:15-14:05") == ((570, 765), (795, 845))
    assert spans_of("00:00-24:00") == ((0, 1440),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f'open: {{moo-fri: "09:00-17:00"}}, {CLOSED}',
            "hours.open.moo-fri: 'moo-fri' is not a day or a range of days such as mon-fri: did you mean mon?",
        ),
        (
            f'open: {{mon-xyz: "09:00-17:00"}}, {CLOSED}',
            "hours.open.mon-xyz: 'mon-xyz' is not a day or a range of days such as mon-fri: "
            "expected mon, tue, wed, thu, fri, sat or sun",
        ),
        (
            f'open: {{mon-: "09:00-17:00"}}, {CLOSED}',
            "hours.open.mon-: 'mon-' is not a day or a range of days such as mon-fri: "
            "expected mon, tue, wed, thu, fri, sat or sun",
        ),
        (
            f'open: {{mon: "9-17"}}, {CLOSED}',
            "hours.open.mon: '9-17' is not a time of opening, write 09:00-17:00",
        ),
        (
            f'open: {{"mon \u2013 fri": "09:00\u201317:00"}}, {CLOSED}',
            "hours.open.mon \u2013 fri: 'mon \u2013 fri' is not a day or a range of days such as mon-fri: "
            "did you mean mon-fri?",
        ),
        (
            f'open: {{Monday-Friday: "09:00-17:00"}}, {CLOSED}',
            "hours.open.Monday-Friday: 'Monday-Friday' is not a day or a range of days such as mon-fri: "
            "did you mean mon-fri?",
        ),
        (
            f'open: {{mon: "09.00 \u2013 12.30, 13h-17"}}, {CLOSED}',
            "hours.open.mon: '09.00 \u2013 12.30, 13h-17' is not a time of opening, write 09:00-12:30,13:00-17:00",
        ),
        (
            f'open: {{mon: "9-25"}}, {CLOSED}',
            "hours.open.mon: '9-25' is not a time of opening, expected such as 09:00-17:00 or 10:00-12:00,13:00-15:00",
        ),
        (
            f'open: {{mon: "09:00-12:00,11:00-15:00"}}, {CLOSED}',
            "hours.open.mon: '09:00-12:00,11:00-15:00' is not a time of opening: one span begins before another ends",
        ),
        (
            f'open: {{mon: "09:00-09:00"}}, {CLOSED}',
            "hours.open.mon: '09:00-09:00' is not a time of opening: it ends when it begins, "
            "expected 00:00-24:00 for a whole day",
        ),
        (
            f'open: {{mon: "09:00-17:00"}}, holidays: [2026-02-30], {CLOSED}',
            "hours.holidays[0]: '2026-02-30' is not a date, expected such as 2026-12-25",
        ),
        ('open: {mon: "09:00-17:00"}', "hours.closed: is missing"),
        (f"open: {{}}, {CLOSED}", "hours.open: is empty, expected at least one"),
    ],
)
def test_wrong_hours_are_told(line_errors: LineErrors, text: str, expected: str) -> None:
    """With what was expected."""
    (error,) = line_errors(f"hours: {{{text}}}")
    assert error.split(": ", 1)[1] == expected


def test_a_date_needs_no_quotes(line_errors: LineErrors) -> None:
    """YAML reads it as a date, which it is."""
    text = f'hours: {{open: {{mon: "09:00-17:00"}}, holidays: [2026-12-25, "2026-12-26"], {CLOSED}}}'
    assert line_errors(text) == []


def test_time_zones_need_nothing_of_the_machine() -> None:
    """A container without time-zone data has those of the package tzdata."""
    before = zoneinfo.TZPATH
    try:
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo.clear_cache()
        assert zoneinfo.ZoneInfo("America/Los_Angeles").key == "America/Los_Angeles"
        assert nearest_time_zone("Los Angeles") == "America/Los_Angeles"
    finally:
        zoneinfo.reset_tzpath(to=before)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Belrin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Xyzzy", ""),
    ],
)
def test_a_city_means_its_time_zone(name: str, zone: str) -> None:
    """For the hint where a name is none."""
    assert nearest_time_zone(name) == zone
