"""The storage of recordings of one process."""

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.config.records.recordings import Recordings
from gateway.errors import StoreError
from gateway.records.storing import storage as storage_module
from gateway.records.storing.metrics import StoringMetrics
from gateway.records.storing.storage import RecordingStorage, storage_of
from gateway.records.storing.taking import KeptRecording
from tests.records.storing.fakes import AWAY, FakeRows, FakeStore, read
from tests.records.storing.servers import Server, settings_of
from tests.records.storing.test_pending import STARTED, about
from tests.records.storing.test_uploading import until
from tests.virtual_time import virtual_time


def storage(
    folder: Path, rows: FakeRows, settings: Recordings | None = None, now: Callable[[], datetime] = lambda: STARTED
) -> RecordingStorage:
    """Return a storage."""
    metrics = StoringMetrics(CollectorRegistry())
    return RecordingStorage(settings or Recordings(), folder, rows, metrics, now, lambda: 0.5)


def record(kept: RecordingStorage, key: str = "k1", sound: bytes = b"sound") -> None:
    """Record a call."""
    with kept.begin(about(key)) as place:
        place.path.write_bytes(sound)
    kept.ended()


def files(folder: Path) -> list[str]:
    """Return the files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_a_recording_goes_from_the_call_to_its_place(tmp_path: Path) -> None:
    """By default that is a directory beside gateway.yaml; it ends in a thread, as calls write in threads."""
    rows = FakeRows("k1")
    kept = storage_of(Recordings(), tmp_path, rows, CollectorRegistry())
    assert kept.has_room
    async with kept.running():
        thread = threading.Thread(target=record, args=(kept,))
        thread.start()
        await until(lambda: rows.rows["k1"][0] == "stored")
        thread.join()
    assert files(tmp_path) == ["recordings/2026/11/29/support/k1.wav"]
    link = await kept.link(rows.rows["k1"][1])
    assert read(Path(link)) == b"sound"
    assert b"".join([block async for block in kept.read(rows.rows["k1"][1], 1, 3)]) == b"ou"
    record(kept, "k2")  # after the end: it waits for the next start


async def test_a_process_that_ends_takes_the_last_recordings_along(tmp_path: Path) -> None:
    """They would be lost with a container."""
    rows = FakeRows("k1")
    kept = storage(tmp_path, rows)
    async with kept.running():
        with kept.begin(about()) as place:
            place.path.write_bytes(b"sound")
    assert rows.rows["k1"][0] == "stored"


async def test_what_a_process_leaves_is_told_and_goes_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store was away all the time."""
    rows, store = FakeRows("k1"), FakeStore()
    store.fails = AWAY
    monkeypatch.setattr(storage_module, "open_store", lambda *_: store)
    with capture_logs() as logs:
        kept = storage(tmp_path, rows)
        async with kept.running():
            await asyncio.to_thread(record, kept)
    assert logs[-1]["event"] == "recordings_left"
    assert store.is_closed
    store.fails = None
    async with storage(tmp_path, rows).running():
        await until(lambda: rows.rows["k1"][0] == "stored")


async def test_a_recording_is_erased_wherever_it_is(tmp_path: Path) -> None:
    """Here, before it was stored; in the store; and where it never was, nothing is wrong."""
    rows = FakeRows("k1", "k2")
    kept = storage(tmp_path, rows)
    record(kept, "k1")
    record(kept, "k2")
    await kept.erase("k1")
    async with kept.running():
        await until(lambda: rows.rows["k2"][0] == "stored")
    await kept.erase("k2", rows.rows["k2"][1])
    await kept.erase("k3")
    await kept.erase("k4", str(tmp_path / "a path that is no URL"))
    assert files(tmp_path) == []


async def test_a_call_that_is_forgotten_while_it_is_recorded_leaves_nothing(tmp_path: Path) -> None:
    """Its sound goes now, and what comes later when it ends."""
    kept = storage(tmp_path, FakeRows("k1"))
    with kept.begin(about()) as place, place.path.open("wb") as file:
        file.write(b"so")
        await kept.erase("k1")
        file.write(b"und")
    async with kept.running():
        await until(lambda: not files(tmp_path))


@virtual_time
async def test_what_is_over_is_deleted_within_two_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database or a store that is away is told, and tried again."""
    rows, store = FakeRows("k1", "k2"), FakeStore()
    monkeypatch.setattr(storage_module, "open_store", lambda *_: store)
    for key in rows.rows:
        store.objects[store.url_of(key)] = b"sound"
        rows.rows[key] = ("stored", store.url_of(key), "")
        rows.over.append(KeptRecording(key, store.url_of(key)))
    rows.is_away = True
    with capture_logs() as logs:
        async with storage(tmp_path, rows).running():
            await asyncio.sleep(1.5 * 3600)
            rows.is_away, store.fails = False, AWAY
            await asyncio.sleep(3600)
            store.fails = None
            await asyncio.sleep(2 * 3600)
    assert [log["event"] for log in logs] == ["recordings_not_deleted", "recordings_not_deleted", "recordings_expired"]
    assert store.objects == {}
    assert rows.rows == {"k1": ("deleted", "", ""), "k2": ("deleted", "", "")}


async def test_a_recording_of_an_earlier_store_is_still_found(tmp_path: Path) -> None:
    """And one whose store is not known any more is told."""
    settings = Recordings(store=str(tmp_path / "new"))
    old = tmp_path / "old" / "a.wav"
    old.parent.mkdir()
    old.write_bytes(b"sound")
    kept = storage(tmp_path, FakeRows(), settings)
    assert await kept.link(old.as_uri()) == str(old)
    with pytest.raises(StoreError, match="nowhere://"):
        await kept.link("nowhere://x/a.wav")


async def test_it_all_works_with_a_real_store(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, a link, and the end of the time for which it may be kept."""
    rows = FakeRows(*(f"k{number}" for number in range(6)))
    settings = settings_of(server)
    times: list[datetime] = [STARTED]
    both: list[Any] = [storage(tmp_path, rows, settings, lambda: times[0]) for _ in range(2)]
    for key in rows.rows:
        record(both[0], key, key.encode())
    async with both[0].running(), both[1].running():
        await until(lambda: all(state == "stored" for state, _, _ in rows.rows.values()))
        urls = {key: url for key, (_, url, _) in rows.rows.items()}
        for key, url in urls.items():
            assert b"".join([block async for block in both[0].read(url)]) == key.encode()
        assert (await both[1].link(urls["k0"])).startswith("http://127.0.0.1:")
        rows.over = [KeptRecording(key, url) for key, url in urls.items()]
        assert await both[0].expire() == 6
        assert await both[0].expire() == 0
        with pytest.raises(StoreError, match="no such recording"):
            assert [block async for block in both[0].read(urls["k0"])] == []
    assert files(tmp_path) == []
