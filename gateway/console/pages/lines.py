"""*Lines*: what their files say, what is wrong with them, what changed, and what happens on each."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from msgspec import Struct

from gateway.config import Line
from gateway.config.telling.describe import describe
from gateway.console.charts import midnight
from gateway.console.line_files import SeenLine
from gateway.console.rendering import render
from gateway.console.route import Route
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.errors import ConfigError
from gateway.records.line_activity import Activity, activity_by_line

VERSIONS_SINCE = timedelta(days=30)


class Shown(Struct, frozen=True):
    """A line as its card shows it."""

    seen: SeenLine
    file: str
    activity: Activity
    open: str
    """``open`` or ``closed`` now; empty for a line without a usable file."""
    answers: str
    says: str


async def lines(request: web.Request) -> web.Response:
    """Return the page."""
    console, now = console_of(request), datetime.now(UTC)
    seen = await asyncio.to_thread(console.line_files.look)
    database = console.records
    today = midnight(now)
    activity = {} if database is None else await activity_by_line(database, today, today - VERSIONS_SINCE)
    folder = console.deployment.file.parent
    return render(
        request,
        "lines.html.j2",
        lines=[_shown(one, activity.get(one.name, Activity()), now, folder) for one in seen.lines],
        errors=seen.errors,
        warnings=seen.warnings,
        wrong=bool(seen.errors) or any(one.errors for one in seen.lines),
        today=today.date().isoformat(),
        place=lambda error: place_of(error, folder),
        pattern=console.deployment.lines,
    )


def _shown(seen: SeenLine, activity: Activity, now: datetime, folder: Path) -> Shown:
    line, file = seen.line, _shown_file(Path(seen.file), folder)
    if line is None:
        return Shown(seen, file, activity, "", "", "")
    return Shown(seen, file, activity, "open" if _is_open(line, now) else "closed", _answers(line), describe(line))


def _is_open(line: Line, now: datetime) -> bool:
    hours = line.settings.hours
    return hours is None or hours.is_open(now, line.settings.timezone)


def _answers(line: Line) -> str:
    agent = line.settings.agent
    return f"the agent {agent.name}" if agent else f"{' or '.join(line.models)}, {line.settings.voice.name}"


def place_of(error: ConfigError, folder: Path) -> str:
    """Return where a mistake stands: file, line and column, as ``gateway check`` has it."""
    file = Path(error.file)
    shown = _shown_file(file, folder)
    where = f"{shown}:{error.line}:{error.column}" if error.line else shown
    return "" if not error.file else where


def _shown_file(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)


ROUTES = (Route("GET", "/lines", lines, Need.VIEWER),)
