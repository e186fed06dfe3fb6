"""The keys of calls."""

import uuid
from datetime import UTC, datetime, timedelta

from gateway.records.rows import new_key

NINE = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


def test_a_key_is_a_uuid_of_version_seven_with_the_time_in_it() -> None:
    """Whatever the random bits are, even all ones."""
    for chance in (0, (1 << 74) - 1, None):
        key = uuid.UUID(new_key(NINE, chance))
        assert (key.version, key.variant) == (7, uuid.RFC_4122)
        assert key.int >> 80 == int(NINE.timestamp() * 1000)


def test_keys_sort_by_the_start_of_their_call() -> None:
    """Those of one millisecond in any order, and never the same."""
    keys = [new_key(NINE + timedelta(milliseconds=number)) for number in range(100)]
    assert keys == sorted(keys)
    assert len({new_key(NINE) for _ in range(100)}) == 100
