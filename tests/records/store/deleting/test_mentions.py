"""Mentions of a number in texts."""

import pytest
from sqlalchemy import select

from gateway.records.rows import Row, TurnRow
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.deleting import mentions
from gateway.records.store.deleting.mentions import mention_of, without
from gateway.records.store.tables import calls, events, turns
from tests.records.store.rows import call_row, event_row


@pytest.mark.parametrize(
    ("number", "text", "left"),
    [
        ("+14155550123", "I am at +14155550123.", "I am at …."),
        ("+14155550123", "(415) 555-0123", "(…"),
        ("+14155550123", "1 415 555 0123, 415.555.0123 or 0014155550123", "…, … or …"),
        ("+14155550123", "sip:+14155550123@trunk", "sip:…@trunk"),
        ("+14155550123", "914155550123 and 41555501234", "914155550123 and 41555501234"),
        ("+493012345678", "030 12345678, +49 (0)30 1234 5678, +49 30/12345678", "…, …, …"),
        ("sip:bob@example.com", "Bob is SIP:BOB@example.com", "Bob is SIP:…"),
        ("5550123", "call 555-0123", "call …"),
    ],
)
def test_a_number_is_found_however_it_is_written(number: str, text: str, left: str) -> None:
    """With its country code or without, as people and programs write it; not within a longer one."""
    assert mention_of(number).sub("…", text) == left


async def test_mentions_are_removed_everywhere(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, in events, in details, over many pages; rows without one stay as they are."""
    monkeypatch.setattr(mentions, "ROWS_AT_ONCE", 3)
    turn = TurnRow(call_key="b", n=1, who="caller", item_id="14155550123", started_ms=1, words="It is 415 555 0123.")
    rows: list[Row] = [call_row("a", detail="busy: +14155550123"), call_row("b"), call_row("c"), turn]
    told: list[Row] = [event_row(n, key, "415-555-0123" if n % 4 == 1 else "No.") for key in "abc" for n in range(7)]
    async with Database(database_url) as database:
        await database.migrate()
        await write(database, [*rows, *told])
        mention = mention_of("+14155550123")
        assert await without(database, mention, dry_run=True) == 1 + 1 + 6
        assert await without(database, mention, {"a"}, dry_run=True) == 1 + 4
        assert await without(database, mention) == 8
        assert await without(database, mention) == 0
        async with database.read() as connection:
            fields = (await connection.execute(select(events.c.n, events.c.fields))).all()
            assert {(n % 4 == 1, field["text"]) for n, field in fields} == {(True, "…"), (False, "No.")}
            row = (await connection.execute(select(turns))).one()
            assert (row.words, row.item_id) == ("It is ….", "14155550123")
            assert await connection.scalar(select(calls.c.detail).where(calls.c.call_key == "a")) == "busy: …"
