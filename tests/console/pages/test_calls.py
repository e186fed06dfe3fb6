"""The list of calls."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.console.pages import calls
from gateway.records.rows import CallRow, RecordingRow, Row
from tests.console.conftest import browser, console_with, fill, text_of
from tests.records.kept import NINE, rows_of
from tests.report.test_page import HOSTILE
from tests.sim.report.test_page import text


def some() -> list[Row]:
    """Three calls: one with a recording, one of another line, and one of a caller who calls herself something else."""
    named = [row for row in rows_of("k3", started=NINE + timedelta(hours=2)) if isinstance(row, CallRow)]
    return [
        *rows_of("k1"),
        RecordingRow(call_key="k1", url="file:///k1.wav", state="stored"),
        *rows_of("k2", line="sales", started=NINE + timedelta(hours=1)),
        replace(named[-1], caller=HOSTILE, line=HOSTILE, reason="voice_lost"),
    ]


async def test_a_row_says_what_a_call_was(tmp_path: Path) -> None:
    """When, which line, who, how long, and how it ended, as a word with a colour; it plays where it can."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, some())
        page = await text_of(client, "/calls")
        seen = text(page)
    assert "3 calls, the newest first" in seen
    assert "2026-11-29 09:00:00 support +14155550100 0:10 2 transferred tool failed" in seen
    assert '<span class="tone fine">transferred</span>' in page
    assert '<span class="tone bad">voice lost</span>' in page
    assert re.findall(r'data-sound="([^"]+)"', page) == ["/calls/k1/recording"]


async def test_names_are_inert(tmp_path: Path) -> None:
    """Whatever a caller or a file calls itself, in the list and in the fields of the form."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, some())
        for query in ("", "?line=%22%3E%3Cimg%20src=x%3E&number=%27%22%3E%3Cscript%3E&since=%3Cb%3E"):
            page = await text_of(client, f"/calls{query}")
            assert page.count("<script") == 1
            assert "<img" not in page
            assert "\x1b" not in page
            assert "<b>" not in page


async def test_calls_are_looked_for(tmp_path: Path) -> None:
    """By every field; what cannot be used is named, and no match says so."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, some())

        async def found(query: str) -> list[str]:
            return re.findall(r'href="/calls/(k\d)"', await text_of(client, f"/calls?{query}"))

        assert await found("line=sales") == ["k2"]
        assert await found("recorded=1") == ["k1"]
        assert await found("reason=voice_lost") == ["k3"]
        assert await found("number=%2B14155550100") == ["k2", "k1"]
        assert await found("since=2026-11-29&until=2026-11-29") == ["k3", "k2", "k1"]
        assert await found("until=2026-11-28") == []
        assert await found("said=where+is+my") == ["k2", "k1"]
        assert "No call is like this." in await text_of(client, "/calls?line=none")
        assert "no day, expected such as" in await text_of(client, "/calls?since=soon")


async def test_pages_lead_on_with_the_same_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older and newer, as links."""
    console = console_with(tmp_path)
    monkeypatch.setattr(calls, "ON_A_PAGE", 1)
    async with browser(console) as client:
        await fill(console, some())
        first = await text_of(client, "/calls?number=%2B14155550100")
        assert 'rel="prev"' not in first
        (older,) = re.findall(r'href="([^"]+)" rel="next"', first)
        second = await text_of(client, unescape(older))
        assert 'rel="next"' not in second
        (newer,) = re.findall(r'href="([^"]+)" rel="prev"', second)
        assert "number=%2B14155550100" in newer
        assert "/calls/k2" in await text_of(client, unescape(newer))


async def test_nothing_yet_is_said(tmp_path: Path) -> None:
    """Before the first gateway, and before the first call."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        assert "No records of calls are kept here yet" in await text_of(client, "/calls")
        await fill(console, [])
        assert "No calls yet." in await text_of(client, "/calls")
