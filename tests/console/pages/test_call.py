"""The page of a call."""

import json
from pathlib import Path

from msgspec.structs import replace

from gateway.call import notes
from gateway.records.rows import CallRow, RecordingRow, Row
from tests.console.conftest import browser, console_with, fill, text_of
from tests.records.kept import TOLD, rows_of
from tests.report.test_page import HOSTILE, Attributes
from tests.sim.report.test_page import text


def hostile() -> list[Row]:
    """A call in which every text wants to be more than a text."""
    told = [
        (at, notes.CallerSaid("u1", HOSTILE) if isinstance(note, notes.CallerSaid) else note)
        for at, note in TOLD
        if not isinstance(note, notes.ToolCalled | notes.ToolReturned | notes.TransferStarted | notes.Transferred)
    ]
    told += [(5400, notes.ToolCalled(HOSTILE, "c1")), (5900, notes.ToolReturned(HOSTILE, "c1", "error", 480))]
    told += [(8000, notes.TransferStarted(HOSTILE)), (9000, notes.TransferFailed(HOSTILE, HOSTILE))]
    rows = rows_of("k1", told=sorted(told, key=lambda pair: pair[0]), line="support", caller=HOSTILE, call_id=HOSTILE)
    return [
        replace(row, model=HOSTILE, detail=HOSTILE, cost_note=HOSTILE, by=HOSTILE) if isinstance(row, CallRow) else row
        for row in rows
    ]


async def test_a_call_is_shown_whole(tmp_path: Path) -> None:
    """How it ended, what was said and not heard, what was done, what it used; by key or by the provider's id."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(
            console, [*rows_of("k1"), RecordingRow(call_key="k1", url="file:///k1.wav", seconds=9, state="stored")]
        )
        page = await text_of(client, "/calls/k1")
        assert text(await text_of(client, "/calls/CA-k1")) == text(page)
        record = json.loads(await text_of(client, "/calls/k1/call.json"))
        await text_of(client, "/calls/k9", 404)
        await text_of(client, "/calls/k9/call.json", 404)
    seen = text(page)
    for shown in (
        "+14155550100 → support transferred The bot transferred the caller · 0:09.5 long",
        "0:03.5 Caller Where is my order?",
        "0:05.4 Tool order_status: error after 0.5 s",
        "Bot It is on its way to you.",
        "not priced",
        "gpt-realtime 1 100 0 0 10 40",
    ):
        assert shown in seen
    assert "<del title=" in page
    assert 'src="/calls/k1/recording"' in page
    assert record["call_id"] == "CA-k1"
    assert record["turns"][1]["text"] == "Where is my order?"


async def test_whatever_was_said_is_inert(tmp_path: Path) -> None:
    """Words, names, tools, targets and ids: none is markup, none acts on a terminal, none is a style or a handler."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, hostile())
        page = await text_of(client, "/calls/k1")
        record = await text_of(client, "/calls/k1/call.json")
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "\x1b" not in page + record
    assert {name for name in Attributes(page).names if name == "style" or name.startswith("on")} == set()
    assert "alert(1)" in text(page)


async def test_a_call_that_goes_on_has_a_page(tmp_path: Path) -> None:
    """With what is known of it so far."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        await fill(console, rows_of("k1", told=TOLD[:9]))
        seen = text(await text_of(client, "/calls/k1"))
    assert "in progress" in seen
    assert "Where is my order?" in seen


async def test_without_records_there_is_no_call(tmp_path: Path) -> None:
    """Whatever its name."""
    async with browser(console_with(tmp_path)) as client:
        for path in ("/calls/k1", "/calls/k1/call.json", "/calls/k1/recording", "/calls/k1/waveforms"):
            await text_of(client, path, 404)
