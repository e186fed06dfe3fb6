"""The calls of a process, as they are shown."""

import asyncio

from gateway.call.calls import Calls
from gateway.call.ending import Order
from gateway.call.history.glance import Glance, LastWords
from gateway.live.book import AT_ONCE, WORDS_SHOWN
from gateway.live.messages import LiveCall, OrderFor
from gateway.records.masking import Masking
from tests.live.conftest import ABOUT, book_of
from tests.live.played import PlayedCall, going_on


async def test_the_first_look_shows_all_and_a_later_one_what_has_changed() -> None:
    """A call that is over is named once; nothing is shown where nothing has changed."""
    calls, call, other = Calls(10), PlayedCall("CA1"), PlayedCall("CA2")
    changes = book_of(calls).changes()
    with going_on(calls, call, other):
        first = await changes.next()
        assert first is not None
        assert first.about == ABOUT
        assert first.calls[0] == LiveCall(
            provider="twilio",
            call_id="CA1",
            line="support",
            caller="+14155550123",
            called="+14255550100",
            started=1_700_000_040.0,
            state="talking",
            speaker="caller",
            who="caller",
            words="Where is my order?",
            targets=("desk",),
        )
        assert await changes.next() is None
        call.now = Glance("talking", "bot", LastWords("bot", "On its way."))
        changed = await changes.next()
        assert changed is not None
        assert [(one.call_id, one.speaker) for one in changed.calls] == [("CA1", "bot")]
        assert changed.about is None
    over = await changes.next()
    assert over is not None
    assert sorted(over.gone) == ["twilio/CA1", "twilio/CA2"]


async def test_nothing_is_looked_at_unless_somebody_looks() -> None:
    """A book that nobody reads asks no call; a reader asks each once in a look."""
    calls, played = Calls(100), [PlayedCall(f"CA{n}") for n in range(AT_ONCE + 2)]
    book = book_of(calls)
    with going_on(calls, *played):
        assert sum(call.looks for call in played) == 0
        await book.changes().next()
        assert {call.looks for call in played} == {1}


async def test_frames_go_on_during_a_look_at_many_calls() -> None:
    """The event loop has its turn between every few calls."""
    calls, played, turns = Calls(500), [PlayedCall(f"CA{n}") for n in range(AT_ONCE * 5)], 0

    async def send_frames() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    with going_on(calls, *played):
        async with asyncio.TaskGroup() as group:
            frames = group.create_task(send_frames())
            await book_of(calls).changes().next()
            frames.cancel()
    assert turns == 4


async def test_numbers_and_words_are_as_the_records_have_them() -> None:
    """Masked, and without words, where the deployment keeps none; long words from their end."""
    calls, call = Calls(1), PlayedCall("CA1")
    with going_on(calls, call):
        shown = await book_of(calls, Masking(words=False, numbers="masked")).changes().next()
        assert shown is not None
        assert (shown.calls[0].caller, shown.calls[0].words, shown.calls[0].who) == ("+1415…23", "", "")
        call.now = Glance("talking", "", LastWords("caller", "a" * 500 + "end"))
        shown = await book_of(calls).changes().next()
        assert shown is not None
        assert len(shown.calls[0].words) == WORDS_SHOWN
        assert shown.calls[0].words.endswith("end")


def test_an_order_reaches_the_call_that_it_names() -> None:
    """Nothing is done to another, to one that is over, or with a target that is not its line's."""
    calls, call, other = Calls(2), PlayedCall("CA1"), PlayedCall("CA2")
    book = book_of(calls)
    with going_on(calls, call, other):
        assert book.order(OrderFor("twilio", "CA1"))
        assert book.order(OrderFor("twilio", "CA1", "desk"))
        assert not book.order(OrderFor("twilio", "CA1", "+14155550199"))
        assert not book.order(OrderFor("plivo", "CA1"))
    assert not book.order(OrderFor("twilio", "CA1"))
    assert call.orders == [Order(), Order("desk")]
    assert other.orders == []
