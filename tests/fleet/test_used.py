"""What may be used once."""

from gateway.fleet.memory import Memory
from gateway.fleet.used import SIZE, SharedUsedKeys


def test_a_key_is_used_once_at_all_workers() -> None:
    """Until it is forgotten, when its user said."""
    now = 1000.0
    memory = Memory(SIZE + 64)
    first, second = (SharedUsedKeys(memory, 64, lambda: now) for _ in range(2))
    assert not second.is_used("a")
    assert first.use("a", 60)
    assert second.is_used("a")
    assert not second.use("a", 60)
    assert second.use("b", 60)
    now += 60
    assert not first.is_used("a")
    assert first.use("a", 60)


def test_a_key_that_is_used_for_a_purpose_may_be_used_for_it_again() -> None:
    """By any worker, for a time, and for no other purpose; what is to be remembered for longer is no longer used so."""
    now = 1000.0
    memory = Memory(SIZE)
    first, second = (SharedUsedKeys(memory, 0, lambda: now) for _ in range(2))
    assert first.use_for("a", "x", 10)
    assert second.use_for("a", "x", 10)
    assert [second.use_for("a", "y", 10) for _ in range(2)] == [False, False]
    second.remember("a", 100)
    assert first.use_for("a", "x", 10)
    now += 10
    assert second.left_s("a") == 90
    assert not second.use_for("a", "x", 10)
    now += 90
    assert (first.left_s("a"), first.is_used("a")) == (0, False)
    assert first.use_for("a", "y", 10)


def test_a_key_takes_one_place_however_often_it_is_used() -> None:
    """So that it pushes no other out of the table."""
    now = 0.0
    used = SharedUsedKeys(Memory(SIZE), 0, lambda: now)
    for _ in range(100):
        assert used.use("a", 1)
        now += 1
    assert used._memory.bytes[:].count(used._place("a")[0]) == 1


def test_a_hundred_thousand_keys_are_remembered() -> None:
    """As many as an hour of 28 calls a second."""
    used = SharedUsedKeys(Memory(SIZE), 0, lambda: 0.0)
    assert all(used.use(str(number), 3600) for number in range(100_000))
    assert sum(not used.is_used(str(number)) for number in range(100_000)) < 20
