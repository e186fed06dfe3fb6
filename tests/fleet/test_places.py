"""The places for calls."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.fleet.memory import Memory, shared_file
from gateway.fleet.places import Full, KnownCall, News, Places, bytes_for

REPOSITORY = Path(__file__).parents[2]
TAKER = """
import sys
from gateway.fleet.memory import Memory
from gateway.fleet.places import Places, bytes_for
worker, size, descriptor, offered = map(int, sys.argv[1:])
places = Places(Memory(bytes_for(size), descriptor), 0, size, worker)
print("ready", flush=True)
sys.stdin.readline()
taken = []
for number in range(offered):
    if (place := places.take()) is not None:
        taken.append(place)
    if number % 3 == 0 and taken and taken[-1]:  # some come and go, so that the same records change hands
        places.free(taken.pop())
        taken.append(places.take())
print(len([place for place in taken if place]), flush=True)
"""
A, B = ("twilio", "CA1"), ("twilio", "CA2")


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of both workers."""
    return Clock()


@pytest.fixture
def two(clock: Clock) -> tuple[Places, Places]:
    """Two places, as two workers see them."""
    memory = Memory(64 + bytes_for(2))
    return Places(memory, 64, 2, 1, clock), Places(memory, 64, 2, 2, clock)


def test_workers_count_together(two: tuple[Places, Places]) -> None:
    """A place that one has is none for the other, and is free for it afterwards."""
    first, second = two
    held = first.take()
    assert held is not None
    assert second.take() is not None
    assert first.is_full()
    assert second.is_full()
    assert first.take() is None
    first.free(held)
    assert second.take() is not None


def test_what_was_reserved_at_one_is_taken_at_the_other(two: tuple[Places, Places]) -> None:
    """By the stream of that call and by no other."""
    first, second = two
    assert first.reserve(A, "sales", None, 60) is None
    assert first.reserved() == [KnownCall("twilio", "CA1", "sales")]
    assert second.take() is not None
    assert second.take() is None
    assert second.take(B) is None
    assert second.take(A) is not None
    assert first.reserved() == []
    assert second.take(A) is None


def test_a_reservation_ends_by_itself(two: tuple[Places, Places], clock: Clock) -> None:
    """A stream that does not come keeps nobody out for longer."""
    first, second = two
    assert first.reserve(A, "sales", 1, 60) is None
    assert second.reserve(B, "sales", 1, 60) is Full.LINE
    clock.now += 60
    assert first.reserved() == []
    assert second.reserve(B, "sales", 1, 60) is None
    assert second.take() is not None
    assert second.take() is None


def test_a_call_that_is_over_needs_no_place(two: tuple[Places, Places]) -> None:
    """Whichever worker hears of its end; what was known of it is told once."""
    first, second = two
    first.reserve(A, "sales", None, 60)
    assert second.cancel(A) == KnownCall("twilio", "CA1", "sales")
    assert second.cancel(A) is None
    assert first.cancel(B) is None
    assert first.reserved() == []


def test_a_webhook_that_comes_again_reserves_no_second_place(two: tuple[Places, Places]) -> None:
    """Wherever it comes again."""
    first, second = two
    assert first.reserve(A, "sales", 1, 60) is None
    assert second.reserve(A, "sales", 1, 60) is None
    assert first.reserve(B, "support", 1, 60) is None
    assert first.reserve(("twilio", "CA3"), "support", 2, 60) is Full.ALL


def test_a_line_has_its_own_limit(two: tuple[Places, Places]) -> None:
    """Counted over both workers; a place that was reserved for the line is not counted twice."""
    first, second = two
    assert first.reserve(A, "sales", 1, 60) is None
    reserved, other = second.take(A), first.take()
    assert reserved is not None
    assert other is not None
    assert second.name(reserved, A, "sales", 1) is None
    assert first.name(other, B, "sales", 1) is Full.LINE
    assert first.name(other, B, "sales", 2) is None
    assert first.name(other, B, "support", None) is None


def test_what_a_worker_is_told_of_anothers_call_is_passed_on(two: tuple[Places, Places]) -> None:
    """Once, and nothing of it stays for the next call in that place."""
    first, second = two
    held = first.take()
    assert held is not None
    first.name(held, A, "sales", None)
    assert not second.report(B, News.OVER)
    assert second.report(A, News.OVER)
    assert second.take_news() == []
    assert first.take_news() == [(A, News.OVER)]
    assert first.take_news() == []
    assert second.report(A, News.TRANSFER_FAILED)
    first.free(held)
    again = first.take()
    assert again is not None
    first.name(again, B, "sales", None)
    assert first.take_news() == []


def test_a_dead_workers_calls_go_to_one_that_lives(two: tuple[Places, Places]) -> None:
    """Each once; what had no name yet is free at once, and what was reserved stays for its stream."""
    first, second = two
    held = first.take()
    assert held is not None
    first.name(held, A, "sales", None)
    first.take()
    assert first.orphan(1) == [KnownCall("twilio", "CA1", "sales")]
    assert second.adopt() == [KnownCall("twilio", "CA1", "sales")]
    assert second.adopt() == []
    first.reserve(B, "sales", None, 60)
    assert second.orphan(1) == []
    assert second.take(B) is not None


def test_a_place_that_is_not_held_any_more_is_not_freed_for_another(two: tuple[Places, Places]) -> None:
    """As when a worker was taken for dead and was not."""
    first, second = two
    held = first.take()
    assert held is not None
    first.orphan(1)
    again = second.take()
    assert again is not None
    assert again.index == held.index
    first.free(held)
    assert second.take() is not None
    assert second.take() is None


def test_ids_of_any_length_and_kind_have_a_place(two: tuple[Places, Places]) -> None:
    """What is too long is cut where it is told, and still tells one call from another."""
    first, second = two
    longs = [("acs", "x" * 1000 + end) for end in "ab"]
    for call in longs:
        assert first.reserve(call, "l", None, 60) is None
    assert second.cancel(longs[1]) is not None
    assert second.cancel(longs[0]) is not None
    assert first.reserve(("acs", "\ud800\xe9"), "l", None, 60) is None


@pytest.fixture
def descriptor() -> Iterator[int]:
    """The memory of forty places."""
    made = shared_file(bytes_for(40))
    yield made
    os.close(made)


async def test_processes_give_out_each_place_once(descriptor: int) -> None:
    """All offered at the same moment: none is refused while there is room, and none is taken above the limit."""
    takers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", TAKER, str(worker), "40", str(descriptor), "30"),
            pass_fds=[descriptor],
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for worker in (1, 2)
    ]
    async with asyncio.timeout(120):
        for taker in takers:
            assert taker.stdout is not None
            assert await taker.stdout.readline() == b"ready\n"
        taken = [(await taker.communicate(b"go\n"))[0] for taker in takers]
    assert sum(map(int, taken)) == 40


def test_what_has_run_out_elsewhere_makes_no_room_on_a_line(two: tuple[Places, Places], clock: Clock) -> None:
    """Each line has its own calls and its own places that nobody came for."""
    first, second = two
    assert first.reserve(A, "support", None, 5) is None
    assert first.reserve(B, "sales", 1, 300) is None
    clock.now += 6
    assert second.reserve(("twilio", "CA3"), "sales", 1, 300) is Full.LINE
    assert second.reserve(("twilio", "CA3"), "support", 1, 300) is None


def test_a_place_that_has_run_out_is_nobody_s(two: tuple[Places, Places], clock: Clock) -> None:
    """The stream comes too late: during a drain it has no place, and there is nothing to give back."""
    first, second = two
    assert first.reserve(A, "support", None, 5) is None
    clock.now += 4.9
    assert second.cancel(A) == KnownCall(*A, "support")
    assert first.reserve(A, "support", None, 5) is None
    clock.now += 5.1
    assert second.cancel(A) is None
    assert second.take(A, reserved_only=True) is None
    assert first.reserved() == []
