"""Writes rows into a database, as the gateway's writer does, and a call with something in each table."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.call.record import CallIdentity
from gateway.records.call_rows import CallRows, Priced
from gateway.records.rows import Row
from gateway.records.store.database import Database
from gateway.records.store.tables import TABLE_OF

NINE = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
TOLD: tuple[tuple[float, Note], ...] = (
    (0, notes.CallStarted("+14155550100", "+14255550100", "3f")),
    (400, notes.SessionReady("sess_1", "gpt-realtime")),
    (900, notes.ReplyStarted("i1", None)),
    (950, notes.ReplySaid("i1", "Welcome to Contoso.")),
    (2900, notes.ReplyHeard("i1", 2000, 2000, "Welcome to Contoso.")),
    (3000, notes.TokensUsed("r1", "gpt-realtime", "openai", 100, 0, 0, 0, 0, 0, 10, 40)),
    (3500, notes.CallerSpoke("u1", over_reply=False)),
    (5200, notes.CallerPaused("u1")),
    (5300, notes.CallerSaid("u1", "Where is my order?")),
    (5400, notes.ToolCalled("order_status", "c1")),
    (5900, notes.ToolReturned("order_status", "c1", "error", 480)),
    (6100, notes.ReplyStarted("i2", 900)),
    (6100, notes.ReplySaid("i2", "It is on its way to you.")),
    (7000, notes.BargeIn([notes.CutReply("i2", 900, 2400)], response_cancelled=False)),
    (7000, notes.ReplyHeard("i2", 900, 2400, "It is on", "its way to you.")),
    (7100, notes.DigitPressed("3")),
    (8000, notes.TransferStarted("desk")),
    (9000, notes.Transferred("desk")),
    (9500, notes.CallEnded(EndReason.TRANSFERRED, "bot", "", "twilio", 9.5, 2, session_s=9.1, caller_audio_s=9.4)),
)


def rows_of(
    key: str = "k1",
    *,
    told: Iterable[tuple[float, Note]] = TOLD,
    started: datetime = NINE,
    line: str = "support",
    caller: str = "+14155550100",
    call_id: str = "",
    priced: Priced | None = None,
) -> list[Row]:
    """The rows of a call with these notes."""
    identity = CallIdentity(call_id or f"CA-{key}", "twilio", line, caller, "+14255550100", "g711_ulaw", 0.0)
    rows = CallRows(identity, started, key=key, priced=priced)
    return [row for at_ms, note in told for row in rows.add_at(at_ms, note)]


async def keep(database: Database, rows: Iterable[Row]) -> None:
    """Write rows; of one that comes several times, each version."""
    async with database.write() as connection:
        for row in rows:
            values: dict[str, Any] = {name: getattr(row, name) for name in row.__struct_fields__}
            await database.put(connection, TABLE_OF[type(row)], [values])
