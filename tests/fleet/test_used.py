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


def test_a_hundred_thousand_keys_are_remembered() -> None:
    """As many as an hour of 28 calls a second."""
    used = SharedUsedKeys(Memory(SIZE), 0, lambda: 0.0)
    assert all(used.use(str(number), 3600) for number in range(100_000))
    assert sum(not used.is_used(str(number)) for number in range(100_000)) < 20
