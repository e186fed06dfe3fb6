"""The memory of all workers."""

import os

from gateway.fleet.board import Board, board_file


def test_workers_see_the_same_board() -> None:
    """Signs of life, deaths, places, ends and used keys, none of which lies upon another."""
    descriptor = board_file(3)
    try:
        first, second = (Board(3, descriptor, worker) for worker in (1, 255))
        assert first.used.use("a", 60)
        assert first.places.reserve(("p", "c"), "l", None, 60) is None
        first.ends.note(("p", "c"), 255)
        for _ in range(3):
            second.beat()
        first.note_death(lost=2)
        first.note_death(lost=0)
        assert (first.beats(255), first.beats(1)) == (3, 0)
        assert (second.died, second.lost) == (2, 2)
        assert second.ends.find(("p", "c")) == 255
        assert second.used.is_used("a")
        assert not second.webhooks.is_used("a")
        assert second.webhooks.use("b", 60)
        assert first.webhooks.is_used("b")
        assert second.places.take(("p", "c")) is not None
    finally:
        os.close(descriptor)


def test_a_process_alone_has_a_board_of_its_own() -> None:
    """With nothing of another's."""
    one, other = Board(1), Board(1)
    assert one.places.take() is not None
    assert not other.places.is_full()
