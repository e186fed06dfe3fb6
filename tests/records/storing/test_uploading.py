"""Recordings on their way to the store, beside the calls."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.records.storing.metrics import StoringMetrics
from gateway.records.storing.pending import PendingFolder
from gateway.records.storing.retrying import Retrying
from gateway.records.storing.uploading import Uploading
from tests.records.storing.fakes import AWAY, FakeRows, FakeStore
from tests.records.storing.test_pending import STARTED, about, waiting
from tests.virtual_time import virtual_time


def uploading(
    folder: PendingFolder,
    store: FakeStore,
    rows: FakeRows,
    *,
    limit: int = 10**9,
    registry: CollectorRegistry | None = None,
) -> Uploading:
    """Return one process's uploads."""
    metrics = StoringMetrics(registry or CollectorRegistry())
    retrying = Retrying(random.Random(1).random)
    now = STARTED + timedelta(minutes=1)
    return Uploading(folder, store, rows, metrics, retrying, at_once=2, limit=limit, now=lambda: now)


@asynccontextmanager
async def running(uploads: Uploading) -> AsyncIterator[None]:
    """Run them for the length of a block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(uploads.run())
        yield
        task.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; the test's limit ends it where it never is."""
    while not is_so():  # noqa: ASYNC110 -- what is so becomes it in the code under test, which sets no event
        await asyncio.sleep(0.01)


def all_waiting(folder: Path, keys: list[str]) -> PendingFolder:
    """Return a folder in which the recordings of several calls wait."""
    return [waiting(folder, key) for key in keys][-1]


async def test_what_waits_at_the_start_and_what_ends_later_go_to_the_store(tmp_path: Path) -> None:
    """A word that a call has ended is enough; no time has to pass."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1", "k2")
    uploads = uploading(pending, store, rows)
    async with running(uploads):
        await until(lambda: rows.rows["k1"][0] == "stored")
        with pending.begin(about("k2")) as place:
            place.path.write_bytes(b"more")
            uploads.wake()
        uploads.wake()
        await until(lambda: rows.rows["k2"][0] == "stored")
    assert len(store.objects) == 2


async def test_two_processes_send_no_recording_twice(tmp_path: Path) -> None:
    """Each of fifty goes once, and both have done some of the work."""
    keys = [f"k{number}" for number in range(50)]
    pending = all_waiting(tmp_path, keys)
    store, rows = FakeStore(), FakeRows(*keys)
    registries = [CollectorRegistry(), CollectorRegistry()]
    both = [uploading(PendingFolder(pending.folder), store, rows, registry=one) for one in registries]

    def counted() -> float:
        found = (one.get_sample_value("gateway_recordings_taken_total", {"outcome": "stored"}) for one in registries)
        return sum(count or 0 for count in found)

    async with running(both[0]), running(both[1]):
        await until(lambda: counted() == 50)  # a row has its state a little before its recording is counted
    assert len(store.sent) == len(set(store.sent)) == 50
    assert [state for _, state in rows.states].count("stored") == 50
    assert counted() == 50


@virtual_time
async def test_a_store_that_is_away_is_told_once_an_hour_and_tried_ever_less(tmp_path: Path) -> None:
    """Wrong credentials look the same. When it is back, everything goes at once."""
    keys = [f"k{number}" for number in range(20)]
    pending = all_waiting(tmp_path, keys)
    registry = CollectorRegistry()
    store, rows = FakeStore(), FakeRows(*keys)
    store.fails = AWAY
    uploads = uploading(pending, store, rows, registry=registry)
    with capture_logs() as logs:
        async with running(uploads):
            await asyncio.sleep(1.9 * 3600)
            tries = registry.get_sample_value("gateway_recordings_taken_total", {"outcome": "failed"}) or 0
            assert 22 <= tries <= 60
            store.fails = None
            await until(lambda: registry.get_sample_value("gateway_recordings_pending") == 0)
    assert all(state == "stored" for state, _, _ in rows.rows.values())
    told = [log["event"] for log in logs if log["event"] != "recording_stored"]
    assert told == ["recording_not_stored", "recording_not_stored", "recording_store_back"]


async def test_too_much_that_waits_lets_no_further_recording_begin(tmp_path: Path) -> None:
    """That is told, and so is its end."""
    pending, store, rows = waiting(tmp_path, "k1", b"x" * 5000), FakeStore(), FakeRows("k1")
    store.fails = AWAY
    registry = CollectorRegistry()
    uploads = uploading(pending, store, rows, limit=4000, registry=registry)
    with capture_logs() as logs:
        assert await uploads.round() == 1
        assert not uploads.has_room
        assert (registry.get_sample_value("gateway_recordings_pending_bytes") or 0) > 5000
        store.fails = None
        async with running(uploads):
            await until(lambda: uploads.has_room)
    told = [log["event"] for log in logs]
    assert told == ["recording_not_stored", "recording_suspended", "recording_stored", "recording_resumed"]
    assert registry.get_sample_value("gateway_recordings_pending_bytes") == 0


async def test_a_file_that_nobody_can_read_is_told_and_holds_up_no_other(tmp_path: Path) -> None:
    """It stays, for somebody to look at."""
    pending = waiting(tmp_path, "k1")
    (pending.folder / "k0.json").write_text("{}")
    store, rows = FakeStore(), FakeRows("k1")
    with capture_logs() as logs:
        await uploading(pending, store, rows).round()
    assert [(log["event"], log["call_key"]) for log in logs if log["log_level"] == "error"] == [
        ("recording_not_stored", "k0")
    ]
    assert rows.rows["k1"][0] == "stored"
    assert [path.name for path in pending.folder.iterdir()] == ["k0.json"]


async def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Calls go on."""
    (tmp_path / "pending").write_text("")
    uploads = uploading(PendingFolder(tmp_path / "pending"), FakeStore(), FakeRows())
    with capture_logs() as logs:
        assert await uploads.round() == 0
        assert await uploads.round() == 0
    assert [log["event"] for log in logs] == ["recording_folder_failed"]
