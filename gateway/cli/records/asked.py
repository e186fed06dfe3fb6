"""The calls that a command line asks for."""

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.addresses import read
from gateway.call.ending import EndReason
from gateway.call.refusal import TURNED_AWAY
from gateway.config import Deployment
from gateway.config.reading.problems import listed
from gateway.errors import InputError
from gateway.records.store.database import Database
from gateway.records.store.number_keys import hashes_of
from gateway.records.wanted import Wanted

STATES = ("running", "ended", "interrupted")
_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which calls are wanted."""
    parser.add_argument("--line", metavar="NAME", default="", help="calls on this line")
    parser.add_argument("--number", metavar="NUMBER", default="", help="calls from or to this number")
    parser.add_argument("--reason", metavar="REASON", default="", help="calls that ended for this reason")
    parser.add_argument("--state", choices=STATES, default="", help="calls in this state")
    parser.add_argument("--day", metavar="DAY", help="calls of this day in UTC: 2026-11-29, today or yesterday")
    parser.add_argument(
        "--since", metavar="TIME", help="calls that began since then: 2026-11-29T09:00 in UTC, 2h or 7d ago"
    )
    parser.add_argument("--until", metavar="TIME", help="calls that began before then")
    parser.add_argument("--longer-than", metavar="SECONDS", type=float, help="calls that lasted longer")
    parser.add_argument("--tool-error", action="store_true", help="calls in which a tool failed")
    parser.add_argument("--said", metavar="TEXT", default="", help="calls in which somebody said this, heard or not")


async def wanted(options: argparse.Namespace, database: Database, now: datetime) -> Wanted:
    """Return what is asked for. Raises ``InputError`` for options that cannot be used."""
    since, until = _time("--since", options.since, now), _time("--until", options.until, now)
    if options.day:
        if options.since or options.until:
            raise InputError("--day: stands beside --since or --until, expected one of them")
        since = _day(options.day, now)
        until = since + timedelta(days=1)
    reasons = [*EndReason, TURNED_AWAY]
    if options.reason and options.reason not in reasons:
        raise InputError(f"--reason: {options.reason} is not known, expected {listed(reasons)}")
    number = read(options.number) if options.number else ""
    hashes: tuple[str, ...] = ()
    if options.number:
        if not number:
            raise InputError(f"--number: {options.number!r} is no number, expected such as +14255550123")
        async with database.read() as connection:
            hashes = tuple(await hashes_of(connection, number))
    return Wanted(
        line=options.line,
        numbers=(number,) if number else (),
        hashes=hashes,
        reason=options.reason,
        state=options.state,
        since=since,
        until=until,
        longer_than_s=options.longer_than,
        tool_error=options.tool_error,
        said=options.said,
    )


def _day(text: str, now: datetime) -> datetime:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"--day: {text!r} is no day, expected such as 2026-11-29, today or yesterday") from None


def _time(option: str, text: str | None, now: datetime) -> datetime | None:
    if not text:
        return None
    if ago := _AGO.fullmatch(text):
        return now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option}: {text!r} is no time, expected such as 2026-11-29T09:00, 2h or 7d") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def database_of(deployment: Deployment) -> Database:
    """Return the database of the records. Raises ``InputError`` where there is none yet."""
    if not deployment.records.enabled:
        raise InputError(f"{deployment.file}: records: false keeps no calls")
    database = Database(deployment.database)
    if database.file is not None and not Path(database.file).exists():
        raise InputError(f"{database.file}: is not there yet, gateway serve makes it with the first call")
    return database
