"""The page of figures."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

from sqlalchemy import event

from gateway.console.state import Console
from gateway.records.rows import Row
from tests.console.conftest import browser, console_with, fill, text_of
from tests.records.kept import rows_of
from tests.records.many import fill as fill_many
from tests.report.test_page import HOSTILE, Attributes
from tests.sim.report.test_page import text


def recent() -> list[Row]:
    """Calls of today and of forty days ago; one line has a hostile name."""
    now = datetime.now(UTC)
    return [
        *rows_of("k1", started=now - timedelta(seconds=20)),
        *rows_of("k2", started=now - timedelta(seconds=10), line=HOSTILE),
        *rows_of("k3", started=now - timedelta(days=40)),
    ]


def charts(page: str) -> dict[str, Any]:
    """The pictures in a page, by their titles."""
    found = [json.loads(unescape(one)) for one in re.findall(r"data-chart='([^']*)'", page)]
    return {chart["title"]: chart for chart in found}


async def test_figures_are_of_the_period_and_the_line(tmp_path: Path) -> None:
    """As pictures, and the same in tables."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, recent())
        page = await text_of(client, "/figures")
        assert sum(sum(one["values"]) for one in charts(page)["Calls"]["series"]) == 2
        assert charts(page)["Time to answer"]["series"][0]["values"][-1] == 950
        assert "support 1 0 950 ms 995 ms 0 % 100 %" in text(page)
        longer = text(await text_of(client, "/figures?days=90&line=support"))
        assert "2 calls" in longer
        assert "No calls in this time." in await text_of(client, "/figures?line=none")


async def test_names_of_lines_are_inert(tmp_path: Path) -> None:
    """In the pictures' values as well."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, recent())
        page = await text_of(client, "/figures")
    assert page.count("<script") == 2
    assert "<img" not in page
    assert "\x1b" not in page
    assert {name for name in Attributes(page).names if name == "style" or name.startswith("on")} == set()


async def test_nothing_yet_is_said(tmp_path: Path) -> None:
    """Before the first gateway, and before the first call."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        assert "No records of calls are kept here yet" in await text_of(client, "/figures")
        await fill(console, [])
        assert "No calls in this time." in await text_of(client, "/figures?days=nonsense")


async def statements(console: Console, path: str) -> list[str]:
    """The statements that a page takes."""
    found: list[str] = []
    async with browser(console) as client:
        await text_of(client, path)
        assert console.database is not None
        engine = console.database._opened().sync_engine
        event.listen(engine, "before_cursor_execute", lambda *given: found.append(given[2]))
        await text_of(client, path)
    return [one for one in found if one.startswith("SELECT")]


async def test_a_page_takes_few_statements_however_many_calls_there_are(tmp_path: Path) -> None:
    """``python -m bench.console`` measures how long they take with ten thousand calls."""
    console = console_with(tmp_path)
    await fill(console, [])
    assert console.database is not None
    await fill_many(console.database, 120, datetime.now(UTC))
    assert len(await statements(console, "/calls?problem=1")) <= 4
    assert len(await statements(console, "/figures?days=90")) <= 5
