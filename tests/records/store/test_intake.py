"""What is told of calls becomes rows, later and in order."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway.call.notes import CallEnded
from gateway.call.refusal import Refusal, TurnedAway
from gateway.logs.redaction import Redactor
from gateway.records.masking import Masking
from gateway.records.rows import CallRow, EventRow, RecordingRow, TurnRow
from gateway.records.store import intake as module
from gateway.records.store.intake import AT_ONCE, Intake
from gateway.records.store.keepable import Keepable
from gateway.records.store.number_keys import NumberKey
from tests.records.store.rows import CALLED, CALLER, NOON, identity, story


def intake(most: int = 1000, clock: Callable[[], float] = lambda: 130.0, words: bool = True) -> Intake:
    """Return an intake at noon, at second 130 of the calls' clock."""
    keepable = Keepable(NumberKey("k", b"s"), Masking(words, "masked"), Redactor())
    return Intake(most, keepable, worker="w1", clock=clock, now=lambda: NOON)


async def test_a_call_becomes_rows_as_they_may_be_kept() -> None:
    """With the time of day at which it began, the process that has it, and without its number."""
    taken = intake()
    for of, note in story(identity(started_at=100.0)):
        taken.observe(of, note)
    assert len(taken) == 12
    rows = await taken.rows()
    assert len(taken) == 0
    calls = [row for row in rows if isinstance(row, CallRow)]
    assert calls[0].started == NOON - timedelta(seconds=30)
    assert {(row.worker, row.caller) for row in calls} == {("w1", "+1415…23")}
    assert [row.state for row in calls] == ["running", "running", "ended"]
    assert [row.n for row in rows if isinstance(row, EventRow)] == list(range(12))
    assert {row.words for row in rows if isinstance(row, TurnRow)} > {"Question 1.", "Answer 2."}
    assert CALLER not in str(rows)


async def test_calls_that_go_on_are_known() -> None:
    """By a key that anybody may ask for, from the first note to the last row; two streams of one call are two."""
    taken = intake()
    one, again = identity(started_at=100.0), identity(started_at=101.0)
    key = taken.key_of(one)
    assert taken.key_of(one) == key != taken.key_of(again)
    for of, note in [*story(one), *story(again, ends=False)]:
        taken.observe(of, note)
    rows = await taken.rows()
    assert {row.call_key for row in rows} == {key, taken.key_of(again)}
    assert taken.live == [taken.key_of(again)]


async def test_what_does_not_fit_is_counted() -> None:
    """Beginnings and ends are taken all the same, or a call would go on for ever."""
    taken = intake(most=3)
    for of, note in story(identity(), turns=10):
        taken.observe(of, note)
    taken.put(RecordingRow(call_key="k", url="file:x"))
    assert taken.take_lost() == 1 + 30 + 2 - 3 + 1 - 1
    assert taken.take_lost() == 0
    rows = await taken.rows()
    assert [row.kind for row in rows if isinstance(row, EventRow)][-1] == CallEnded.event
    assert taken.live == []


async def test_rows_of_others_keep_their_place() -> None:
    """Between the notes that came before and after."""
    taken = intake()
    told = story(identity())
    taken.observe(*told[0])
    taken.put(RecordingRow(call_key="k", url="file:x"))
    taken.observe(*told[1])
    kinds = [type(row) for row in await taken.rows()]
    assert kinds.index(RecordingRow) == 2
    assert kinds.count(CallRow) == 2


async def test_many_notes_do_not_keep_the_loop() -> None:
    """Others have their turn after each hundred."""
    taken = intake(most=10_000)
    for of, note in story(identity(), turns=10 * AT_ONCE):
        taken.observe(of, note)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while len(taken):
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(other())
        await taken.rows()
    assert turns >= 30


async def test_a_call_without_room_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """That has ended as it began and was never answered; of a flood, so many in a minute."""
    monkeypatch.setattr(module, "TURNED_AWAY_A_MINUTE", 3)
    now, taken = [NOON], intake()
    taken._now = lambda: now[0]
    for number in range(5):
        taken.turned_away(TurnedAway("twilio", f"CA{number}", "support", CALLER, CALLED, Refusal.LINE_FULL))
    now[0] += timedelta(minutes=1)
    taken.turned_away(TurnedAway("twilio", "CA9", "support", CALLER, CALLED, Refusal.FULL))
    made = await taken.rows()
    rows = [row for row in made if isinstance(row, CallRow)]
    assert [(row.call_id, row.reason, row.detail) for row in rows] == [
        ("CA0", "turned_away", "line_full"),
        ("CA1", "turned_away", "line_full"),
        ("CA2", "turned_away", "line_full"),
        ("CA9", "turned_away", "full"),
    ]
    first = rows[0]
    assert (first.state, first.started, first.ended, first.answered) == ("ended", NOON, NOON, None)
    assert (first.caller, first.called, first.by, first.duration_s) == ("+1415…23", "+1425…00", "gateway", 0.0)
    assert first.caller_hash
    assert made[1] == EventRow(
        call_key=first.call_key,
        n=0,
        at_ms=0.0,
        kind="call_ended",
        fields={"reason": "turned_away", "by": "gateway", "detail": "line_full"},
    )
    assert taken.live == []
    assert taken.take_lost() == 0


async def test_of_calls_without_room_no_more_wait_than_fit() -> None:
    """The queue has its limit."""
    taken = intake(most=2)
    for number in range(5):
        taken.turned_away(TurnedAway("twilio", f"CA{number}", "support", CALLER, CALLED, Refusal.LINE_FULL))
    assert (len(taken), taken.take_lost()) == (2, 8)
