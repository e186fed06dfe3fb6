"""The calls that are looked for."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.records.rows import CallRow, RecordingRow, Row
from gateway.records.search import find_calls
from gateway.records.store import tables
from gateway.records.store.database import Database
from gateway.records.wanted import Wanted, cost_unknown, ended_badly
from tests.records.kept import NINE, TOLD, keep, rows_of

FINE = (TOLD[0], (9500.0, notes.CallEnded(EndReason.CALLER_HUNG_UP, "caller", "", "twilio", 9.5, 2)))
LOST = (TOLD[0], (9500.0, notes.CallEnded(EndReason.VOICE_LOST, "service", "", "twilio", 9.5, 2)))
REFUSED = (TOLD[0], (5000.0, notes.TransferStarted("desk")), (6000.0, notes.TransferFailed("desk", "503")), FINE[1])


def calls() -> list[Row]:
    """One without a problem, one that goes on, and one with each; two have a recording, of which one is gone."""
    cut = [
        replace(row, state="interrupted") if isinstance(row, CallRow) else row for row in rows_of("cut", told=FINE[:1])
    ]
    named = {"fine": FINE, "goes-on": FINE[:1], "lost": LOST, "refused": REFUSED, "tool": TOLD}
    return [
        *(
            row
            for n, key in enumerate(named)
            for row in rows_of(key, told=named[key], started=NINE + timedelta(hours=n))
        ),
        *cut,
        RecordingRow(call_key="fine", url="file:///a.wav", state="stored"),
        RecordingRow(call_key="lost", url="file:///b.wav", state="deleted"),
    ]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (Wanted(problem=True), "tool refused lost cut"),
        (Wanted(recorded=True), "fine"),
        (Wanted(recorded=True, problem=True), ""),
        (Wanted(problem=True, line="sales"), ""),
    ],
)
async def test_calls_are_found_by_problem_and_recording(database_url: str, wanted: Wanted, keys: str) -> None:
    """A problem is a failure, a call that broke off, a tool or transfer that failed; a recording is still there."""
    async with Database(database_url) as database:
        await database.migrate()
        await keep(database, calls())
        assert [call.call_key for call in await find_calls(database, wanted, 10)] == keys.split()


async def test_a_call_without_room_failed_and_cost_nothing(database_url: str) -> None:
    """It is found as a problem, and is none of those whose cost is not known."""
    lost = [row for row in rows_of("lost", told=LOST) if isinstance(row, CallRow)][-1]
    async with Database(database_url) as database:
        await database.migrate()
        await keep(database, [lost, replace(lost, call_key="none", reason="turned_away", detail="full")])
        for condition, keys in ((ended_badly(), {"lost", "none"}), (cost_unknown(), {"lost"})):
            async with database.read() as connection:
                found = await connection.execute(select(tables.calls.c.call_key).where(condition))
                assert {key for (key,) in found} == keys
