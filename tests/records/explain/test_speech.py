"""The times at which each side was heard."""

from gateway.records.explain.events import EventLog
from gateway.records.explain.speech import greeting_of, replies_in, turns_in
from tests.records.explain.made_calls import ended, note, reply, turn


def test_a_reply_is_heard_when_the_marks_say_so() -> None:
    """Later than it came; to the end of what was heard of it."""
    (found,) = replies_in(EventLog(reply("i", 1000, 2000, of=3000, heard_after=120, late=4)))
    assert (found.came_ms, found.start_ms, found.end_ms, found.over_ms) == (1000, 1120, 3120, 3120)
    assert (found.heard_ms, found.received_ms, found.late_frames, found.words) == (2000, 3000, 4, "It is on its way.")


def test_a_reply_of_a_record_without_its_way() -> None:
    """It ended when it was over, and began as long before as was heard of it."""
    events = [event for event in reply("i", 1000, 2000) if event.kind != "reply_played"]
    (found,) = replies_in(EventLog([*events, ended(9000)]))
    assert (found.start_ms, found.end_ms) == (1020, 3020)


def test_a_reply_that_is_not_over_lasts_to_the_end_of_the_record() -> None:
    """The record breaks off while it is heard."""
    (found,) = replies_in(EventLog([note(1000, "reply_started", item_id="i", latency_ms=None), note(4000, "x")]))
    assert (found.start_ms, found.end_ms, found.over_ms, found.words) == (1000, 4000, None, "")


def test_a_turn_ends_at_its_pause_or_with_the_next_one() -> None:
    """One whose end is not known lasts to the next one, the last to the end of the record."""
    log = EventLog([*turn("a", 1000, 2000), note(3000, "caller_spoke", item_id="b"), *turn("c", 4000, 5000, ""),
                 note(6000, "caller_spoke", item_id="d"), ended(7000)])  # fmt: skip
    spans = [(one.item_id, one.start_ms, one.end_ms, one.words) for one in turns_in(log)]
    assert spans == [
        ("a", 1000, 2000, "Hello?"),
        ("b", 3000, 4000, None),
        ("c", 4000, 5000, None),
        ("d", 6000, 7000, None),
    ]


def test_the_greeting_answers_nobody() -> None:
    """The first reply is none if the caller spoke before it, or if it answers them."""
    greeting = reply("i", 1000, 500, latency=None)
    log = EventLog(greeting)
    assert greeting_of(replies_in(log), turns_in(log)) == replies_in(log)[0]
    log = EventLog([*turn("c", 100, 900), *greeting])
    assert greeting_of(replies_in(log), turns_in(log)) is None
    log = EventLog(reply("i", 1000, 500, latency=200))
    assert greeting_of(replies_in(log), turns_in(log)) is None
    assert greeting_of([], []) is None
