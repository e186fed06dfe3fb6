"""One recording on its way to the store."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.errors import StoreError
from gateway.records.storing.pending import PendingFolder
from gateway.records.storing.taking import ROW_IS_LATE, Outcome, RowsAwayError, take, utc_now
from tests.records.storing.fakes import AWAY, FakeRows, FakeStore
from tests.records.storing.test_pending import STARTED, about, waiting

URL = "fake://store/2026/11/29/support/k1.wav"


async def taken(
    pending: PendingFolder, store: FakeStore, rows: FakeRows, at: datetime = STARTED + timedelta(minutes=5)
) -> Outcome:
    """Take the recording of the call k1."""
    with pending.claim("k1") or pytest.fail("nobody holds it") as place:
        return await take(place, store, rows, lambda: at)


def left(pending: PendingFolder) -> list[str]:
    """Return the names of the files that are left."""
    return sorted(path.name for path in pending.folder.iterdir())


async def test_a_recording_is_deleted_here_once_store_and_row_have_it(tmp_path: Path) -> None:
    """Its row says that it is on its way, and then where it is."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")
    assert await taken(pending, store, rows) == "stored"
    assert store.objects == {URL: b"sound"}
    assert rows.states == [("k1", "uploading"), ("k1", "stored")]
    assert rows.rows["k1"] == ("stored", URL, "")
    assert left(pending) == []


async def test_it_stays_while_the_store_is_away(tmp_path: Path) -> None:
    """And goes there later."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")
    store.fails = AWAY
    with pytest.raises(StoreError):
        await taken(pending, store, rows)
    assert left(pending) == ["k1.json", "k1.wav"]
    store.fails = None
    assert await taken(pending, store, rows) == "stored"


async def test_who_was_killed_between_store_and_row_sends_it_once(tmp_path: Path) -> None:
    """The next one finds it whole, and writes the row."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")

    def kill() -> None:
        raise KeyboardInterrupt

    store.meanwhile = kill
    with pytest.raises(KeyboardInterrupt):
        await taken(pending, store, rows)
    store.meanwhile = lambda: None
    assert await taken(pending, store, rows) == "stored"
    assert store.sent == [URL]
    assert left(pending) == []


async def test_who_was_killed_while_the_files_were_deleted_says_that_it_is_stored(tmp_path: Path) -> None:
    """Though the sound is gone here."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")
    store.objects[URL] = b"sound"
    (pending.folder / "k1.wav").unlink()
    assert await taken(pending, store, rows) == "stored"
    assert rows.rows["k1"] == ("stored", URL, "")


async def test_the_sound_goes_while_its_row_waits_for_the_database(tmp_path: Path) -> None:
    """The disk does not fill up with what the store has; it is not sent again for the row."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")
    rows.is_away = True
    with pytest.raises(RowsAwayError):
        await taken(pending, store, rows)
    assert left(pending) == ["k1.json", "k1.stored"]
    rows.is_away = False
    assert await taken(pending, store, rows) == "stored"
    assert store.sent == [URL]
    assert rows.rows["k1"] == ("stored", URL, "")
    assert left(pending) == []


async def test_a_recording_whose_row_does_not_come_is_deleted_after_a_day(tmp_path: Path) -> None:
    """Its call was forgotten elsewhere, or nobody could ever find it; a row in a spool comes sooner."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows()
    with pytest.raises(RowsAwayError):
        await taken(pending, store, rows, STARTED + ROW_IS_LATE - timedelta(seconds=1))
    assert store.objects == {URL: b"sound"}
    with capture_logs() as logs:
        assert await taken(pending, store, rows, STARTED + ROW_IS_LATE) == "forgotten"
    assert [log["event"] for log in logs] == ["recording_without_row"]
    assert store.objects == {}
    assert left(pending) == []


async def test_a_recording_whose_file_is_gone_is_lost_and_told(tmp_path: Path) -> None:
    """Its row says so too."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")
    (pending.folder / "k1.wav").unlink()
    with capture_logs() as logs:
        assert await taken(pending, store, rows) == "lost"
    assert [(log["event"], log["log_level"]) for log in logs] == [("recording_lost", "error")]
    assert rows.rows["k1"] == ("failed", "", "its file is gone")
    assert left(pending) == []


@pytest.mark.parametrize("is_on_its_way", [False, True])
async def test_a_recording_that_is_forgotten_on_its_way_does_not_stay(tmp_path: Path, *, is_on_its_way: bool) -> None:
    """Neither in the store nor here."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")

    def forget() -> None:
        pending.forget("k1")

    if is_on_its_way:
        store.meanwhile = forget
    else:
        forget()
    assert await taken(pending, store, rows) == "forgotten"
    assert store.objects == {}
    assert len(store.sent) == is_on_its_way
    assert left(pending) == []


async def test_a_recording_whose_time_is_over_before_it_was_stored_is_deleted(tmp_path: Path) -> None:
    """The store may have been away for as long as it may be kept."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")
    assert about().keep_until is not None
    assert await taken(pending, store, rows, STARTED + timedelta(days=30)) == "expired"
    assert store.sent == []
    assert rows.rows["k1"] == ("deleted", "", "")
    assert left(pending) == []


async def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even the URL can be noted, the sound stays."""
    pending, store, rows = waiting(tmp_path), FakeStore(), FakeRows("k1")
    rows.is_away = True

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.records.storing.pending._write", full)
    with pytest.raises(OSError, match="No space left"):
        await taken(pending, store, rows)
    assert left(pending) == ["k1.json", "k1.wav"]
    rows.is_away = False
    assert await taken(pending, store, rows) == "stored"


def test_the_clock_is_that_of_the_world() -> None:
    """In UTC."""
    clock: Callable[[], datetime] = utc_now
    assert clock().utcoffset() == timedelta(0)
