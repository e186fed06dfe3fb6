"""Recordings on their way to a real store, when the store or the gateway's process dies."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fsspec.asyn import get_loop
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from bench.target import free_ports
from gateway.records.storing import retrying
from gateway.records.storing.objects import ObjectStore
from gateway.records.storing.storage import RecordingStorage, storage_of
from tests.records.storing.fakes import FakeRows
from tests.records.storing.servers import Server, azurite, settings_of
from tests.records.storing.test_pending import about
from tests.records.storing.test_uploading import until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module", autouse=True)
def loop_of_fsspec() -> None:
    """The loop of all object stores, whose sockets last as long as the process."""
    get_loop()


def storage(server: Server, folder: Path, rows: FakeRows) -> RecordingStorage:
    """Return the storage of one process."""
    return storage_of(settings_of(server), folder, rows, CollectorRegistry())


def record(kept: RecordingStorage, key: str) -> None:
    """Record a call."""
    with kept.begin(about(key)) as place:
        place.path.write_bytes(key.encode() * 1000)
    kept.ended()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.e2e.test_recordings_on_their_way import record, storage
from tests.records.storing.fakes import FakeRows
from tests.records.storing.servers import Server

class Rows(FakeRows):
    async def state(self, call_key, state, url="", detail=""):
        if state == "stored":
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().state(call_key, state, url, detail)

async def main():
    kept = storage(Server(sys.argv[1], {"connection_string": sys.argv[2]}), Path(sys.argv[3]), Rows("k1"))
    record(kept, "k1")
    async with kept.running():
        await asyncio.sleep(3600)

asyncio.run(main())
"""
"""A process that is killed when the store has a recording, and its row does not say so yet."""


async def test_who_is_killed_between_store_and_row_is_followed_by_one_who_writes_the_row(tmp_path: Path) -> None:
    """The recording is not sent again, and nothing of it is left here."""
    with azurite(tmp_path) as server:
        arguments = [server.root, server.section["connection_string"], str(tmp_path)]
        killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, *arguments], check=False)
        assert killed.returncode == -signal.SIGKILL
        waiting = sorted(os.listdir(tmp_path / "recordings" / "pending"))  # noqa: PTH208 -- names alone
        assert waiting == ["k1.json", "k1.wav"]
        rows = FakeRows("k1")
        kept = storage(server, tmp_path, rows)
        store = kept._store
        assert isinstance(store, ObjectStore)
        url = store.url_of(about("k1").name)
        before = await store._ask("info", url, refresh=True)
        async with kept.running():
            await until(lambda: rows.rows["k1"][0] == "stored")
            after = await store._ask("info", url, refresh=True)
            assert before["etag"] == after["etag"]
        assert rows.rows["k1"] == ("stored", url, "")
        assert os.listdir(tmp_path / "recordings" / "pending") == []  # noqa: PTH208 -- names alone


async def test_a_store_that_comes_back_gets_all_that_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was away when the calls ended; that is told once."""
    monkeypatch.setattr(retrying, "FIRST_S", 0.05)
    (port,) = free_ports(1)
    rows = FakeRows(*(f"k{number}" for number in range(3)))
    with azurite(tmp_path, port) as server:
        pass
    kept = storage(server, tmp_path, rows)
    with capture_logs() as logs:
        async with kept.running():
            for key in rows.rows:
                await asyncio.to_thread(record, kept, key)
            await until(lambda: len([log for log in logs if log["event"] == "recording_not_stored"]) > 0)
            with azurite(tmp_path, port):
                await until(lambda: all(state == "stored" for state, _, _ in rows.rows.values()))
                for key, (_, url, _) in rows.rows.items():
                    assert b"".join([block async for block in kept.read(url)]) == key.encode() * 1000
    assert [log["event"] for log in logs].count("recording_not_stored") == 1
