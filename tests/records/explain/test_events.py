"""The events of a call, searched."""

from gateway.records.explain.events import Event, EventLog
from tests.records.explain.made_calls import ended, note


def test_a_field_of_any_shape_is_read() -> None:
    """A record may hold what nobody expects: a text is no number, nothing is an empty text."""
    event = note(1, "x", text="a", ms=12.6, flag=True, nothing=None)
    assert (event.text("text"), event.text("nothing"), event.text("missing")) == ("a", "", "")
    assert (event.number("ms"), event.number("text"), event.number("flag")) == (12.6, None, None)
    assert (event.ms("ms"), event.ms("text")) == (13, 0)


def test_events_are_in_the_order_of_time() -> None:
    """Those of one moment stay in the order in which they were noted."""
    first, second, third = note(5, "b", n=1), note(5, "a", n=2), note(1, "a", n=3)
    log = EventLog([first, second, third])
    assert log.events == [third, first, second]
    assert log.first("a") == third
    assert log.all("a") == [third, second]
    assert log.all("a", "b") == [third, first, second]
    assert log.after(first, "a", "c") is second
    assert log.after(second, "a") is None


def test_a_record_may_break_off() -> None:
    """Its end is its last event; without any, its beginning."""
    assert (EventLog([]).end, EventLog([]).end_ms) == (None, 0.0)
    assert (EventLog([note(7, "a")]).end, EventLog([note(7, "a")]).end_ms) == (None, 7)
    last = ended(9)
    assert (EventLog([last, note(12, "close_timed_out")]).end, EventLog([last]).end_ms) == (last, 9)


def test_a_beginning_has_one_end() -> None:
    """By a field that both have; the end of another, or one before it, is none of its own."""
    begun = [note(1, "b", id="x"), note(2, "b", id="y"), note(3, "b", id="x")]
    ends = [note(0, "e", id="x"), note(4, "e", id="x"), note(5, "e", id="x")]
    assert list(EventLog([*begun, *ends]).pairs("b", "e", "id")) == [
        (begun[0], ends[1]),
        (begun[1], None),
        (begun[2], ends[2]),
    ]


def test_the_last_of_a_name_counts() -> None:
    """A reply that is noted twice is as it was noted last."""
    log = EventLog([note(1, "a", id="x", n=1), note(2, "a", id="x", n=2)])
    assert log.by("a", "id") == {"x": Event(2, "a", {"id": "x", "n": 2})}
