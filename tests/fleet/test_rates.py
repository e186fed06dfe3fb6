"""The counts of a sliding window."""

from gateway.fleet.memory import Memory
from gateway.fleet.rates import Rates, bytes_for


def rates(window_s: float = 60.0, counters: int = 64) -> Rates:
    """Counters of a memory of their own."""
    return Rates(Memory(bytes_for(counters) + 8), 8, counters, window_s)


def test_an_event_leaves_the_window_after_it_and_never_before() -> None:
    """A minute counts at least 60 s, and at most a second more."""
    counted = rates()
    counted.note("a", 1000.9)
    assert counted.count("a", 1000.9) == 1
    assert counted.count("a", 1060.9) == 1
    assert counted.count("a", 1062.0) == 0


def test_events_of_many_moments_leave_one_by_one() -> None:
    """Also after a pause that is longer than the window."""
    counted = rates()
    for second in range(1000, 1010):
        counted.note("a", float(second))
    assert [counted.count("a", float(now)) for now in (1009, 1061, 1065, 1070, 1071)] == [10, 9, 5, 0, 0]
    counted.note("a", 5000.0)
    assert counted.count("a", 5000.0) == 1


def test_keys_are_counted_apart_and_by_all_workers() -> None:
    """The memory is shared."""
    memory = Memory(bytes_for(64))
    first, second = (Rates(memory, 0, 64, 3600.0) for _ in range(2))
    first.note("a", 10_000.0)
    second.note("a", 10_000.0)
    first.note("b", 10_000.0)
    assert (second.count("a", 12_000.0), first.count("b", 12_000.0), first.count("c", 12_000.0)) == (2, 1, 0)


def test_where_there_are_too_many_keys_the_oldest_is_forgotten() -> None:
    """The counter that counted longest ago makes room."""
    counted = rates(counters=8)
    for number in range(9):
        counted.note(str(number), 1000.0 + number)
    assert [counted.count(str(number), 1010.0) for number in range(9)] == [0, 1, 1, 1, 1, 1, 1, 1, 1]
