"""How often a serving process collects garbage, and how long that takes."""

import asyncio
import ctypes
import gc
import platform
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.call.metrics import Metrics
from gateway.cli.processes import garbage
from gateway.cli.processes.garbage import (
    ENDED_CALLS,
    ENDED_THEN,
    FEW_CALLS,
    LONGEST_S,
    THRESHOLDS,
    FullCollections,
    collected_in_parts,
    freed_memory_giver,
)


class Some:
    """Calls in progress, and how many have ended."""

    def __init__(self, in_progress: int = 0) -> None:
        self.in_progress = in_progress
        self.ended = 7

    def __len__(self) -> int:
        return self.in_progress


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    """Collect again, after each test, what it left out of collections."""
    yield
    gc.unfreeze()


def resident_bytes() -> int:
    """The resident memory of this process."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def counted(metrics: Metrics, generation: str) -> float:
    """The collections of a generation."""
    found = metrics.registry.get_sample_value("gateway_gc_pause_seconds_count", {"generation": generation})
    assert found is not None, "the series does not exist from the start"
    return found


async def test_what_was_there_before_is_left_out() -> None:
    """Until the block ends, the thresholds are ours; afterwards nothing of it is left but what is frozen."""
    before, callbacks = gc.get_threshold(), list(gc.callbacks)
    with collected_in_parts(Metrics().gc_pause, Some()):
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > len(gc.get_objects())
    assert (gc.get_threshold(), gc.callbacks) == (before, callbacks)


async def test_pauses_are_counted_by_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the block alone, by the timer, and the last ones at its end."""
    monkeypatch.setattr(garbage, "READ_S", 0.001)
    metrics = Metrics()
    assert [counted(metrics, generation) for generation in "012"] == [0, 0, 0]
    async with asyncio.timeout(10):
        with collected_in_parts(metrics.gc_pause, Some()):
            gc.collect(1)
            while not counted(metrics, "1"):  # noqa: ASYNC110 -- a metric has no event
                await asyncio.sleep(0)
            gc.collect(2)
    assert counted(metrics, "2") == 1
    assert (metrics.registry.get_sample_value("gateway_gc_pause_seconds_sum", {"generation": "2"}) or 0) > 0
    gc.collect(2)
    assert counted(metrics, "2") == 1


@pytest.mark.timeout(10)
async def test_a_collection_waits_for_no_lock() -> None:
    """It may come while the metric itself is being counted, in the same thread."""
    metrics = Metrics()
    with collected_in_parts(metrics.gc_pause, Some()), metrics.gc_pause.labels("2")._sum._lock:
        gc.collect()
    assert counted(metrics, "2") == 1


@pytest.mark.parametrize(("in_progress", "enough"), [(FEW_CALLS, ENDED_THEN), (FEW_CALLS + 1, ENDED_CALLS)])
def test_a_full_collection_is_due_when_enough_calls_have_ended(in_progress: int, enough: int) -> None:
    """Few of them where it takes few milliseconds; and as many again until the next one."""
    calls = Some(in_progress)
    full = FullCollections(calls, 0.0)
    assert not full.is_due(1.0)
    calls.ended += enough - 1
    assert not full.is_due(2.0)
    calls.ended += 1
    assert full.is_due(3.0)
    full.made(3.0)
    assert not full.is_due(4.0)
    calls.ended += enough
    assert full.is_due(5.0)


def test_a_full_collection_is_due_after_a_time_in_any_case() -> None:
    """Pages, tools and the rest of the process leave garbage too."""
    full = FullCollections(Some(400), 100.0)
    assert not full.is_due(100.0 + LONGEST_S - 1)
    assert full.is_due(100.0 + LONGEST_S)
    full.made(100.0 + LONGEST_S)
    assert not full.is_due(100.0 + LONGEST_S + 1)


async def test_what_ended_calls_left_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects in a circle are gone soon after, and none is collected by Python itself before."""
    monkeypatch.setattr(garbage, "READ_S", 0.001)
    metrics, calls = Metrics(), Some()
    async with asyncio.timeout(10):
        with collected_in_parts(metrics.gc_pause, calls):
            before = counted(metrics, "2")
            await asyncio.sleep(0.01)
            assert counted(metrics, "2") == before
            calls.ended += ENDED_THEN
            while counted(metrics, "2") == before:  # noqa: ASYNC110 -- a metric has no event
                await asyncio.sleep(0)


async def test_pages_are_given_back_once_after_a_full_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Free memory of ended calls lies between what is in use, and the next calls would take more."""
    monkeypatch.setattr(garbage, "LINGER_S", 0.005)
    metrics, calls = Metrics(), Some()
    given: list[float] = []
    monkeypatch.setattr(garbage, "freed_memory_giver", lambda: lambda: given.append(counted(metrics, "2")))
    monkeypatch.setattr(garbage, "READ_S", 0.001)
    async with asyncio.timeout(10):
        with collected_in_parts(metrics.gc_pause, calls):
            await asyncio.sleep(0.01)
            assert not given
            calls.ended += ENDED_THEN
            while not given:  # noqa: ASYNC110 -- it has no event
                await asyncio.sleep(0)
            await asyncio.sleep(0.02)
    assert given == [1]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has malloc_trim")
def test_free_pages_between_used_ones_are_given_back() -> None:
    """Of thirty-two megabytes one piece in a hundred is in use: the others stay resident until then."""
    pieces = [b"x" * size for size in [4_000] * 8_000]
    kept = pieces[::100]
    del pieces
    before = resident_bytes()
    freed_memory_giver()()
    assert before - resident_bytes() > 16 * 2**20
    assert kept


@pytest.mark.parametrize("lack", [AttributeError, OSError, TypeError])
def test_elsewhere_nothing_is_given_back(lack: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """A library without that function, or no library by that name, is no reason to fail."""

    def load(_name: str | None) -> object:
        raise lack

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert freed_memory_giver()() is None
