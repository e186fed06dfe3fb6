"""The sessions of all workers by endpoint."""

import os

import pytest

from gateway.fleet.board import Board, board_file
from gateway.fleet.memory import Memory
from gateway.fleet.sessions import CircuitState, Quota, Sessions, bytes_for

NOW = 1000.0


def workers(count: int = 2, calls: int = 4) -> list[Sessions]:
    """The sessions as several workers see them."""
    memory = Memory(bytes_for(calls) + 16)
    return [Sessions(memory, 16, calls, worker + 1) for worker in range(count)]


def test_sessions_at_once_are_counted_over_all_workers() -> None:
    """The first endpoint with room is chosen, and what is over makes room."""
    first, second = workers()
    choices = (Quota("west", sessions=1), Quota("east", sessions=1))
    west = first.open("", choices, NOW)
    east = second.open("", choices, NOW)
    assert west is not None
    assert east is not None
    assert (west.endpoint, east.endpoint) == ("west", "east")
    assert first.open("", choices, NOW) is None
    first.free(west)
    assert second.has_room(choices[0], NOW)
    assert first.usage("west", NOW).open == 0


def test_new_sessions_are_counted_in_a_minute() -> None:
    """What is over counts all the same; so does a retry."""
    (only,) = workers(1)
    quota = Quota("west", per_minute=2)
    session = only.open("", (quota,), NOW)
    assert session is not None
    only.begin_again(session, NOW)
    only.free(session)
    assert only.open("", (quota,), NOW + 59) is None
    assert only.open("", (quota,), NOW + 62) is not None


def test_a_reserved_session_counts_and_is_opened_by_its_call_at_any_worker() -> None:
    """It counts once: not as a reserved one any more."""
    first, second = workers()
    choices = (Quota("west", sessions=1, per_minute=1),)
    assert first.reserve("call", choices, NOW, 60) == "west"
    assert second.open("other", choices, NOW) is None
    session = second.open("call", choices, NOW)
    assert session is not None
    used = first.usage("west", NOW)
    assert (used.open, used.reserved, used.in_minute) == (1, 0, 1)


def test_a_reservation_is_given_back_by_its_end_or_a_cancellation() -> None:
    """And a second one of the same call replaces the first."""
    (only,) = workers(1)
    choices = (Quota("west", sessions=1),)
    assert only.reserve("call", choices, NOW, 60) == "west"
    assert only.reserve("call", choices, NOW, 60) == "west"
    assert only.reserve("other", choices, NOW, 60) is None
    only.cancel("call", NOW)
    assert only.reserve("other", choices, NOW, 60) == "west"
    assert only.reserve("third", choices, NOW + 60, 60) == "west"


def test_the_sessions_of_a_dead_worker_are_free() -> None:
    """Its connections are closed with it."""
    first, second = workers()
    quota = Quota("west", sessions=1)
    assert first.open("", (quota,), NOW) is not None
    second.orphan(1)
    assert second.has_room(quota, NOW)


def test_a_circuit_is_shared_and_each_endpoint_has_its_own() -> None:
    """One that nothing is known of is closed."""
    first, second = workers()
    first.set_circuit("west", CircuitState(2, NOW + 5, 0.0))
    assert second.circuit("west") == CircuitState(2, NOW + 5, 0.0)
    assert second.circuit("east") == CircuitState()


def test_without_a_free_record_no_session_is_opened() -> None:
    """There are more of them than calls can need."""
    (only,) = workers(1, calls=1)
    opened = [only.open("", (Quota("west"),), NOW) for _ in range(70)]
    assert [session is not None for session in opened].count(True) == 66


@pytest.mark.parametrize("worker", [1, 2])
def test_the_board_of_workers_has_them(worker: int) -> None:
    """Two processes that map the same file see the same sessions."""
    descriptor = board_file(4)
    try:
        here, there = Board(4, descriptor, 3), Board(4, descriptor, worker)
        assert here.sessions.open("", (Quota("west"),), NOW) is not None
        assert there.sessions.usage("west", NOW).open == 1
    finally:
        os.close(descriptor)
