"""The figures of sessions that are opened ahead."""

from bench import ahead


def test_a_session_opened_ahead_is_heard_sooner() -> None:
    """By all the time that the provider needs for the stream; in virtual time, so exactly so."""
    (row,) = ahead.measure(2, [(2.0, 2.0)])
    assert min(row.without) >= ahead.CONNECT_MS
    assert max(row.ahead) <= 60


def test_the_table_has_a_row_for_each_time_of_the_provider() -> None:
    """Half of the calls, and all but a twentieth."""
    row = ahead.Row((0.1, 0.3), list(range(1, 101)), [20] * 3)
    assert ahead.table([row]).splitlines()[2:] == ["| 0.1 to 0.3 | 51 / 96 | 20 / 20 |"]
