"""The tasks of a writer; tests/records/store/test_store.py has what becomes of rows."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.records.store.store import RecordStore, StoreSettings
from tests.records.store.rows import identity, story
from tests.virtual_time import virtual_time


@virtual_time
async def test_a_bug_is_logged_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are made and written after it as before."""
    settings = StoreSettings(tmp_path, f"sqlite:///{tmp_path}/calls.db")
    store = RecordStore(settings, CollectorRegistry(), clock=asyncio.get_running_loop().time)

    async def fail() -> None:
        raise KeyError("mine")

    with capture_logs() as entries:
        async with store.running():
            await asyncio.sleep(1)
            with monkeypatch.context() as patched:
                patched.setattr(store.intake, "rows", fail)
                patched.setattr(store.writer, "_write_once", fail)
                await asyncio.sleep(2)
            for of, note in story(identity()):
                store.intake.observe(of, note)
            await asyncio.sleep(2)
            assert store.metrics.written._value.get() == 3 + 9 + 12  # rows that changed are written again
    assert "records_failed" in [entry["event"] for entry in entries]


@virtual_time
async def test_the_metric_says_that_rows_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away, and no longer."""
    settings = StoreSettings(tmp_path, f"sqlite:///{tmp_path}/calls.db")
    store = RecordStore(settings, CollectorRegistry(), clock=asyncio.get_running_loop().time)

    async def away() -> None:
        raise ConnectionRefusedError

    async with store.running():
        with monkeypatch.context() as patched:
            patched.setattr(store.writer, "_prepare", away)
            await asyncio.sleep(3)
            assert store.metrics.up._value.get() == 0
            for of, note in story(identity()):
                store.intake.observe(of, note)
            await asyncio.sleep(1)
            assert store.metrics.spooled._value.get() == 1 + 6 + 12
        await asyncio.sleep(6)
        assert store.metrics.up._value.get() == 1
