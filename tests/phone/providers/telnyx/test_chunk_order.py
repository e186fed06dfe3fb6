"""Audio that arrives out of order."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.phone.providers.telnyx.chunk_order import REACH, WINDOW, ChunkOrder


def passed_on(order: ChunkOrder, *chunks: int) -> list[list[int]]:
    """What each chunk, whose audio is its number, lets be heard."""
    return [[int(event.audio) for event in order.take(chunk, str(chunk).encode())] for chunk in chunks]


def test_what_comes_in_order_is_never_delayed() -> None:
    """Every chunk is heard at once, wherever the count begins."""
    assert passed_on(ChunkOrder(), 7, 8, 9) == [[7], [8], [9]]


def test_neighbours_that_changed_places_are_put_right() -> None:
    """The early one waits for the other."""
    assert passed_on(ChunkOrder(), 1, 3, 2, 4) == [[1], [], [2, 3], [4]]
    assert passed_on(ChunkOrder(), 1, 4, 3, 2, 5) == [[1], [], [], [2, 3, 4], [5]]


def test_a_lost_chunk_is_given_up() -> None:
    """A window of early ones ends the wait; should it come after all, it came too late."""
    assert WINDOW == 3
    assert passed_on(ChunkOrder(), 1, 3, 4, 5, 6, 2, 7) == [[1], [], [], [3, 4, 5], [6], [], [7]]


def test_chunks_that_come_twice_are_passed_on_once() -> None:
    """Early or late."""
    assert passed_on(ChunkOrder(), 1, 1, 3, 3, 2, 2, 4) == [[1], [], [], [], [2, 3], [], [4]]


def test_two_losses_in_a_row() -> None:
    """After one gap has been given up the next is waited for anew."""
    assert passed_on(ChunkOrder(), 1, 3, 5, 6, 4, 7, 8) == [[1], [], [], [3], [4, 5, 6], [7], [8]]


def test_a_new_count() -> None:
    """A number far off begins a new count, or a stream that starts over would never be heard again."""
    assert passed_on(ChunkOrder(), 900, 902, 1, 2) == [[900], [], [902, 1], [2]]
    assert passed_on(ChunkOrder(), 1, 1 + REACH + 2, 1 + REACH + 3) == [[1], [53], [54]]


def test_the_end_lets_go_of_what_waits() -> None:
    """In order, and once."""
    order = ChunkOrder()
    passed_on(order, 1, 4, 3)
    assert [event.audio for event in order.flush()] == [b"3", b"4"]
    assert order.flush() == ()


@given(st.permutations(range(12)))
def test_any_order_is_passed_on_at_most_once_and_in_order(chunks: list[int]) -> None:
    """Whatever happens to the messages, no chunk is heard twice, before an earlier one, or waits for ever."""
    order = ChunkOrder()
    spoken = [number for step in passed_on(order, *chunks) for number in step]
    spoken += [int(event.audio) for event in order.flush()]
    assert spoken == sorted(set(spoken))
    assert chunks[0] in spoken


def test_a_new_count_begins_a_second_off() -> None:
    """What is a second early waits; what is further off is heard at once, and the count goes on from it."""
    assert REACH == 50
    assert passed_on(ChunkOrder(), 1, 2 + REACH, 2) == [[1], [], [2]]
    assert passed_on(ChunkOrder(), 1, 3 + REACH, 4 + REACH) == [[1], [3 + REACH], [4 + REACH]]
    assert passed_on(ChunkOrder(), 100, 101 - REACH, 101) == [[100], [], [101]]
    assert passed_on(ChunkOrder(), 100, 100 - REACH, 101 - REACH) == [[100], [100 - REACH], [101 - REACH]]
