"""Fills a database with thousands of calls, such as a month of a busy line leaves."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.records.rows import CallRow, RecordingRow, Row, new_key
from gateway.records.store.database import Database
from gateway.records.store.tables import TABLE_OF
from gateway.records.stored_call import stored_call
from tests.records.kept import NINE, rows_of

LINES = ("support", "sales", "restaurant")
ENDS = (EndReason.CALLER_HUNG_UP,) * 7 + (EndReason.TRANSFERRED, EndReason.SILENCE, EndReason.VOICE_LOST)
DAYS = 30
_AT_ONCE = 250


def told(chance: random.Random) -> list[tuple[float, Note]]:
    """The notes of a call of eight turns, one of them cut short, with a tool."""
    made: list[tuple[float, Note]] = [
        (0, notes.CallStarted("+14155550100", "+14255550100", "3f")),
        (400, notes.SessionReady("sess_1", "gpt-realtime")),
    ]
    at = 900.0
    for n in range(8):
        latency = None if n == 0 else chance.randint(500, 2500)
        made += [
            (at, notes.ReplyStarted(f"i{n}", latency)),
            (at + 50, notes.ReplySaid(f"i{n}", f"Here is what I know about your order number {n}.")),
        ]
        if n == 4:
            made += [
                (at + 900, notes.CallerSpoke("cut", over_reply=True)),
                (at + 901, notes.BargeIn([notes.CutReply(f"i{n}", 900, 2400)], response_cancelled=False)),
                (at + 902, notes.PlaybackStopped(chance.uniform(0.5, 9))),
                (at + 903, notes.ReplyHeard(f"i{n}", 900, 2400, "Here is what", "I know about your order number 4.")),
            ]
        else:
            made.append(
                (at + 2000, notes.ReplyHeard(f"i{n}", 2000, 2000, f"Here is what I know about your order {n}."))
            )
        made += [
            (at + 2100, notes.TokensUsed(f"r{n}", "gpt-realtime", "openai", 100, 0, 0, 0, 0, 0, 10, 40)),
            (at + 2600, notes.CallerSpoke(f"u{n}", over_reply=False)),
            (at + 4200, notes.CallerPaused(f"u{n}")),
            (at + 4300, notes.CallerSaid(f"u{n}", "And what about the other one that I ordered?")),
        ]
        at += 6000
    made += [
        (at, notes.ToolCalled("order_status", "c1")),
        (at + 300, notes.ToolReturned("order_status", "c1", chance.choice(["ok"] * 9 + ["error"]), 290)),
        (at + 900, notes.CallEnded(chance.choice(ENDS), "caller", "", "twilio", (at + 900) / 1000, 8)),
    ]
    return sorted(made, key=lambda pair: pair[0])


def of_call(n: int, until: datetime, spacing: timedelta, template: list[Row]) -> Iterator[Row]:
    """The rows of one call, made from those of another."""
    chance = random.Random(n)
    started = until - n * spacing
    key = new_key(started, chance=chance.getrandbits(74))
    for row in template:
        if isinstance(row, CallRow):
            yield replace(
                row,
                call_key=key,
                call_id=f"CA{n:032x}",
                line=chance.choice(LINES),
                caller=f"+1415555{n % 10000:04}",
                started=started,
                cost_nanos=chance.randint(10, 400) * 1_000_000,
                currency="USD",
            )
        else:
            yield replace(row, call_key=key)
    if n % 2:
        yield RecordingRow(
            call_key=key, url=f"file:///nowhere/{key}.wav", format="g711_ulaw stereo", seconds=50, state="stored"
        )


async def fill(database: Database, count: int, until: datetime = NINE) -> None:
    """Write calls of the month before ``until``."""
    chance = random.Random(1)
    templates = [_last(stored_call(rows_of("k", told=told(chance)))) for _ in range(20)]
    spacing = timedelta(days=DAYS) / count
    for start in range(0, count, _AT_ONCE):
        rows: dict[type[Row], list[dict[str, Any]]] = {}
        for n in range(start, min(start + _AT_ONCE, count)):
            for row in of_call(n, until, spacing, templates[n % len(templates)]):
                values = {name: getattr(row, name) for name in row.__struct_fields__}
                rows.setdefault(type(row), []).append(values)
        async with database.write() as connection:
            for kind, found in rows.items():
                await connection.execute(TABLE_OF[kind].insert(), found)


def _last(stored: Any) -> list[Row]:
    """All rows of a call, the last version of each."""
    parts = (getattr(stored, name) for name in stored.__struct_fields__)
    return [row for part in parts for row in (part if isinstance(part, tuple) else (part,))]
