"""The folder of recordings that are being written or wait."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.records.storing.pending import PendingFolder, Place, Waiting, claimed

STARTED = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


def about(key: str = "k1") -> Waiting:
    """What is known of a recording."""
    return Waiting(key, "support", STARTED, STARTED + timedelta(days=30))


def waiting(folder: Path, key: str = "k1", sound: bytes = b"sound") -> PendingFolder:
    """Return a folder in which a recording waits."""
    pending = PendingFolder(folder / "pending")
    with pending.begin(about(key)) as place:
        place.path.write_bytes(sound)
    return pending


def test_a_recording_is_held_until_its_call_has_ended(tmp_path: Path) -> None:
    """Only then somebody else gets it, with all that is known of it."""
    pending = PendingFolder(tmp_path / "new" / "pending")
    place = pending.begin(about())
    assert pending.keys() == ["k1"]
    assert pending.claim("k1") is None
    place.release()
    place.release()
    with pending.claim("k1") or pytest.fail("nobody holds it") as again:
        assert again.about == about()
        assert again.path == place.path
        assert again.about.name == "2026/11/29/support/k1.wav"
        assert pending.claim("k1") is None
    assert pending.claim("k2") is None


def test_a_recording_whose_process_was_killed_is_there_for_another(tmp_path: Path) -> None:
    """The lock dies with the process."""
    program = (
        "import sys, signal, os\n"
        "from pathlib import Path\n"
        "from tests.records.storing.test_pending import PendingFolder, about\n"
        "place = PendingFolder(Path(sys.argv[1])).begin(about())\n"
        "place.path.write_bytes(b'half')\n"
        "print('held', flush=True)\n"
        "signal.pause()\n"
    )
    pending = PendingFolder(tmp_path)
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 -- this Python
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert pending.claim("k1") is None
        process.kill()
        process.wait()
    with pending.claim("k1") or pytest.fail("nobody holds it") as place:
        assert place.path.read_bytes() == b"half"


def test_what_was_removed_is_claimed_by_nobody(tmp_path: Path) -> None:
    """Also by one who opened its file before it was removed."""
    pending = waiting(tmp_path)
    first = pending.claim("k1") or pytest.fail("nobody holds it")
    real_open = os.open

    def open_then_lose(path: os.PathLike[str], flags: int) -> int:
        descriptor = real_open(path, flags)
        with first:
            first.remove()
        return descriptor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", open_then_lose)
        assert pending.claim("k1") is None
    assert pending.keys() == []
    assert list(pending.folder.iterdir()) == []


def test_a_recording_that_is_stored_keeps_its_url_and_no_sound(tmp_path: Path) -> None:
    """Until its row is written."""
    pending = waiting(tmp_path)
    with pending.claim("k1") or pytest.fail("nobody holds it") as place:
        assert place.stored == ""
        place.mark_stored("s3://bucket/x")
        assert place.stored == "s3://bucket/x"
        assert not place.path.exists()
    assert pending.keys() == ["k1"]


def test_the_sound_stays_where_its_url_cannot_be_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: nobody would know of the recording in the store, and this one is all there is."""
    folder = PendingFolder(tmp_path)

    def full(path: Path, content: bytes) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("gateway.records.storing.pending._write", full)
    with folder.begin(Waiting("a", "support", datetime(2026, 11, 29, tzinfo=UTC))) as place:
        place.path.write_bytes(b"sound")
        with pytest.raises(OSError, match="No space left"):
            place.mark_stored("s3://bucket/x")
        assert place.path.read_bytes() == b"sound"


def test_forgetting_takes_the_sound_at_once_and_leaves_a_word_for_who_works_on_it(tmp_path: Path) -> None:
    """Others' recordings stay; of an unknown call nothing is left behind."""
    pending = waiting(tmp_path)
    waiting(tmp_path, "k2")
    with pending.claim("k1") or pytest.fail("nobody holds it") as place:
        assert not place.is_forgotten()
        pending.forget("k1")
        assert place.is_forgotten()
        assert not place.path.exists()
        place.remove()
    pending.forget("k3")
    assert sorted(path.name for path in pending.folder.iterdir()) == ["k2.json", "k2.wav"]


def test_the_usage_counts_recordings_and_all_bytes(tmp_path: Path) -> None:
    """The oldest one is that whose call began first; a folder that is missing is empty."""
    assert PendingFolder(tmp_path / "none").usage().count == 0
    assert PendingFolder(tmp_path / "none").keys() == []
    pending = waiting(tmp_path, "k2", b"x" * 1000)
    waiting(tmp_path, "k1", b"x" * 500)
    os.utime(pending.folder / "k1.json", (1000, 1000))
    usage = pending.usage()
    assert usage.count == 2
    assert 1500 < usage.size < 2500
    assert usage.oldest == datetime.fromtimestamp(1000, UTC)
    assert pending.keys() == ["k1", "k2"]


async def test_a_claim_that_is_cancelled_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its thread ends later."""
    pending = waiting(tmp_path)
    begun, goes_on = asyncio.Event(), asyncio.Event()
    got: list[str] = []
    loop = asyncio.get_running_loop()
    claim = PendingFolder.claim

    def slow(self: PendingFolder, key: str) -> Place | None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result()
        return claim(self, key)

    async def ask() -> None:
        async with claimed(pending, "k1"):
            got.append("k1")

    monkeypatch.setattr(PendingFolder, "claim", slow)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ask())
        await begun.wait()
        task.cancel()
        goes_on.set()
    monkeypatch.undo()
    assert got == []
    async with claimed(pending, "k1") as place:
        assert place is not None
