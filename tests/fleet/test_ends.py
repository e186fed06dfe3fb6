"""How calls ended, between workers."""

import mmap

from gateway.fleet.ends import SIZE, Ends


def test_workers_know_each_others_ends() -> None:
    """One worker had the stream, another one is asked; an id may hold bytes that are no text."""
    memory = mmap.mmap(-1, SIZE + 8)
    one, other = Ends(memory, 8), Ends(memory, 8)
    one.note(("plivo", "\udcff"), 3)
    one.note(("plivo", "C1"), 0)
    assert other.find(("plivo", "\udcff")) == 3
    assert other.find(("plivo", "C1")) == 0
    assert other.find(("twilio", "C1")) is None
    assert memory[:8] == bytes(8)


def test_a_hundred_thousand_calls_take_no_more_memory() -> None:
    """The table has its size from the beginning, and knows the latest call of each place."""
    ends = Ends(mmap.mmap(-1, SIZE))
    for number in range(100_000):
        ends.note(("twilio", str(number)), 1)
    assert ends.find(("twilio", "99999")) == 1
