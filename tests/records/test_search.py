"""Calls that are looked for in SQLite and PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.errors import InputError
from gateway.records.rows import CallRow, DeliveryRow, RecordingRow, Row, UsageRow
from gateway.records.search import CostOf, cost_by, every_call, find_calls, read_call
from gateway.records.store.database import Database
from gateway.records.stored_call import stored_call
from gateway.records.wanted import Wanted
from tests.records.kept import NINE, TOLD, keep, rows_of

SILENT = (
    (0.0, notes.CallStarted("+14155550111", "+14255550100", "3f")),
    (60_000.0, notes.CallEnded(EndReason.SILENCE, "caller", "", "twilio", 60.0, 1)),
)


def calls() -> list[Row]:
    """Four calls: one as in ``kept``, a silent one an hour later, one of another line, one that goes on a day later."""
    return [
        *rows_of("k1"),
        *rows_of("k2", told=SILENT, started=NINE + timedelta(hours=1), caller="+14155550111"),
        *rows_of("k3", told=SILENT, started=NINE + timedelta(hours=1), line="sales", call_id="CA-k1-again"),
        *rows_of("m4", told=TOLD[:9], started=NINE + timedelta(days=1), caller="+1415…11"),
    ]


async def opened(url: str) -> Database:
    """A database with these calls."""
    database = Database(url)
    await database.migrate()
    await keep(database, calls())
    return database


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({}, "m4 k3 k2 k1"),
        ({"line": "sales"}, "k3"),
        ({"reason": "silence"}, "k3 k2"),
        ({"state": "running"}, "m4"),
        ({"since": NINE + timedelta(hours=1)}, "m4 k3 k2"),
        ({"until": NINE + timedelta(hours=1)}, "k1"),
        ({"longer_than_s": 59.9}, "k3 k2"),
        ({"longer_than_s": 60}, ""),
        ({"tool_error": True}, "k1"),
        ({"said": "WHERE IS"}, "m4 k1"),
        ({"said": "its way"}, "k1"),
        ({"said": "100%"}, ""),
        ({"said": "_"}, ""),
        ({"numbers": ("+14155550111", "+1415…11")}, "m4 k2"),
        ({"numbers": ("+14255550100",)}, "m4 k3 k2 k1"),
        ({"hashes": ("h1",)}, ""),
        ({"before": "k3"}, "k2 k1"),
        ({"before": "k2", "line": "support"}, "k1"),
    ],
)
async def test_calls_are_found_by_what_is_known_of_them(database_url: str, wanted: dict[str, Any], keys: str) -> None:
    """The newest first; of two that began at once, the one with the later key."""
    async with await opened(database_url) as database:
        found = await find_calls(database, Wanted(**wanted), 10)
        assert [call.call_key for call in found] == keys.split()


async def test_a_masked_number_is_found_by_its_hash(database_url: str) -> None:
    """Of the caller, or of the line that was called."""
    rows = [row for row in rows_of("h") if isinstance(row, CallRow)]
    async with await opened(database_url) as database:
        await keep(database, [replace(rows[-1], caller="", caller_hash="abc", called_hash="def")])
        for wanted in ("abc", "def"):
            (call,) = await find_calls(database, Wanted(hashes=(wanted,)), 10)
            assert call.call_key == "h"


async def test_no_more_is_listed_than_was_asked_for(database_url: str) -> None:
    """The next page begins behind the last call of this one; together they are all, each once."""
    async with await opened(database_url) as database:
        seen: list[str] = []
        while page := await find_calls(database, Wanted(before=seen[-1] if seen else ""), 1):
            seen += [call.call_key for call in page]
        assert seen == ["m4", "k3", "k2", "k1"]
        assert [stored.call.call_key async for stored in every_call(database, Wanted())] == seen


async def test_a_call_is_read_whole(database_url: str) -> None:
    """Everything that was written of it, and nothing of another."""
    extra: list[Row] = [
        RecordingRow(call_key="k1", url="s3://b/k1.wav", format="wav", seconds=9.5, keep_until=NINE),
        DeliveryRow(id="d1", call_key="k1", seq=0, target="crm", event="call.ended", body="{}", created=NINE),
    ]
    async with await opened(database_url) as database:
        await keep(database, extra)
        assert await read_call(database, "k1") == stored_call([*rows_of("k1"), *extra])


@pytest.mark.parametrize("name", ["k2", "CA-k2", "CA-k2"[:5]])
async def test_a_call_is_found_by_either_id_or_a_beginning(database_url: str, name: str) -> None:
    """Its key, the provider's id, or as much of one as only this call has."""
    async with await opened(database_url) as database:
        assert (await read_call(database, name)).call.call_key == "k2"


async def test_an_exact_id_comes_before_the_beginning_of_another(database_url: str) -> None:
    """``CA-k1`` begins ``CA-k1-again``."""
    async with await opened(database_url) as database:
        assert (await read_call(database, "CA-k1")).call.call_key == "k1"


@pytest.mark.parametrize(("name", "told"), [("k", "means several calls, expected one of"), ("zz", "no such call")])
async def test_a_name_of_several_calls_or_of_none_is_refused(database_url: str, name: str, told: str) -> None:
    """With the calls that it may mean."""
    async with await opened(database_url) as database:
        with pytest.raises(InputError, match=told):
            await read_call(database, name)


async def test_costs_are_added_up_by_line_and_by_day(database_url: str) -> None:
    """Exactly; a call whose cost is not known is counted, and adds nothing."""

    def priced(call: CallRow, usage: object) -> CallRow:
        return replace(call, cost_nanos=None if call.line == "sales" else 100_000_001, currency="USD", cost_note="?")

    rows: list[Row] = []
    for key, line, days in (("a", "support", 0), ("b", "support", 0), ("c", "sales", 0), ("d", "support", 1)):
        rows += rows_of(key, line=line, started=NINE + timedelta(days=days), priced=priced)
    async with Database(database_url) as database:
        await database.migrate()
        await keep(database, rows)
        by_line = await cost_by(database, "line", Wanted())
        by_day = await cost_by(database, "day", Wanted(line="support"))

    def cost(name: str, calls: int, unknown: int, nanos: int) -> CostOf:
        seconds = 9.5 * calls
        return CostOf(
            name=name, currency="USD", calls=calls, unknown=unknown, incomplete=calls, nanos=nanos, seconds=seconds
        )

    assert by_line == [cost("sales", 1, 1, 0), cost("support", 3, 0, 300_000_003)]
    assert by_day == [cost("2026-11-29", 2, 0, 200_000_002), cost("2026-11-30", 1, 0, 100_000_001)]


async def test_a_row_that_a_newer_program_wrote_has_columns_that_are_not_read(database_url: str) -> None:
    """The table of recordings has more of them already."""
    async with await opened(database_url) as database:
        await keep(database, [UsageRow(call_key="k1", n=5, at_ms=0, response_id="r", model="m")])
        assert len((await read_call(database, "k1")).usage) == 2
