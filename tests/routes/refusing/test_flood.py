"""A flood of like events: the first ones are told, and how many more there were."""

from gateway.routes.refusing.flood import LOGGED, PERIOD_S, Flood


def test_the_first_ones_of_each_kind_are_told() -> None:
    """A flood of one kind hides none of another."""
    flood: Flood[str] = Flood()
    assert [flood.admits("a", 0.0) for _ in range(LOGGED + 5)] == [True] * LOGGED + [False] * 5
    assert flood.admits("b", 0.0)


def test_what_was_left_out_is_told_when_its_period_is_over() -> None:
    """Once, and as many as there were; then the next ones are told again."""
    flood: Flood[str] = Flood()
    for _ in range(LOGGED + 5):
        flood.admits("a", 1.0)
    assert flood.next_deadline() == 1.0 + PERIOD_S
    assert flood.left_out(PERIOD_S) == []
    assert not flood.admits("a", PERIOD_S)
    assert flood.left_out(1.0 + PERIOD_S) == [("a", 6)]
    assert flood.next_deadline() is None
    assert flood.left_out(9.0 + PERIOD_S) == []
    assert flood.admits("a", 9.0 + PERIOD_S)


def test_a_count_that_is_due_is_not_forgotten_by_the_next_period() -> None:
    """An event that comes after the period, and before anybody asked, is counted along."""
    flood: Flood[str] = Flood()
    for _ in range(LOGGED + 1):
        flood.admits("a", 0.0)
    assert not flood.admits("a", PERIOD_S + 1)
    assert flood.left_out(PERIOD_S + 1) == [("a", 2)]


def test_a_kind_that_stays_below_the_bound_leaves_nothing_to_tell() -> None:
    """However long it goes on."""
    flood: Flood[str] = Flood()
    assert all(flood.admits("a", second * PERIOD_S / LOGGED) for second in range(10 * LOGGED))
    assert flood.next_deadline() is None
