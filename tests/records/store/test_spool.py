"""Rows in a file."""

import errno
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.records.rows import DeliveryRow, KeyRow, Row, ToolCallRow, TurnRow, UsageRow
from gateway.records.store.spool import Spool, spools
from tests.records.store.rows import NOON, call_row, event_row

ROWS: list[Row] = [
    call_row(ended=NOON + timedelta(seconds=3), detail="Grüße\nzwei"),
    event_row(1),
    TurnRow(call_key="k", n=0, who="caller", item_id="i", started_ms=1),
    ToolCallRow(call_key="k", n=0, tool="t", started_ms=1),
    KeyRow(call_key="k", n=0, at_ms=1, digit="5"),
    UsageRow(call_key="k", n=0, at_ms=1, response_id="r", model="m"),
    DeliveryRow(id="d", call_key="k", seq=1, target="t", event="e", body="{}", created=NOON),
]


def taken(spool: Spool, most_bytes: int = 1 << 20) -> list[Row]:
    """Return all rows of a spool."""
    found: list[Row] = []
    while spool.waits:
        rows, _ = spool.take(most_bytes)
        spool.taken()
        found += rows
    return found


def test_rows_come_back_as_they_went(tmp_path: Path) -> None:
    """In their order, in several pieces too; then the file is empty, and gone once it is closed."""
    spool = Spool(tmp_path / "data", "w", 1 << 20)
    assert spool.append(ROWS) == 0
    assert spool.append([event_row(n) for n in range(50)]) == 0
    assert taken(spool, most_bytes=300) == [*ROWS, *map(event_row, range(50))]
    assert not spool.waits
    assert (tmp_path / "data" / "spool" / "w.jsonl").stat().st_size == 0
    assert spool.append(ROWS[:1]) == 0
    assert taken(spool) == ROWS[:1]
    spool.close()
    assert list(spools(tmp_path / "data")) == []


def test_a_file_is_this_users_alone(tmp_path: Path) -> None:
    """And so are its folders."""
    spool = Spool(tmp_path / "data", "w", 1000)
    spool.open()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in sorted(tmp_path.rglob("*"))]
    assert modes == [0o700, 0o700, 0o600]
    spool.close()


def test_it_is_bounded(tmp_path: Path) -> None:
    """Those that do not fit are counted; the first ones are kept."""
    spool = Spool(tmp_path, "w", 1000)
    left = spool.append([event_row(n) for n in range(100)])
    assert 0 < left < 100
    assert taken(spool) == [event_row(n) for n in range(100 - left)]
    spool.close()


def test_rows_that_were_not_taken_over_come_again(tmp_path: Path) -> None:
    """A process that dies while it writes them leaves them all."""
    spool = Spool(tmp_path, "w", 1 << 20)
    spool.append(ROWS)
    spool.take()
    spool.close()
    (left,) = spools(tmp_path)
    assert left.adopt()
    assert taken(left) == ROWS
    left.close()


def test_only_one_has_the_file_of_a_process(tmp_path: Path) -> None:
    """Nobody else while that process lives; one of them once it is dead."""
    own = Spool(tmp_path, "w", 1 << 20)
    own.append(ROWS)
    (one,), (two,) = spools(tmp_path), spools(tmp_path)
    assert not one.adopt()
    own.close()
    assert one.adopt()
    assert not two.adopt()
    assert taken(one) == ROWS
    one.close()
    assert not two.adopt()


def test_a_line_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    """A process died in the middle of it, or a later version wrote it."""
    spool = Spool(tmp_path, "w", 1 << 20)
    spool.append(ROWS[1:2])
    spool.close()
    with (tmp_path / "spool" / "w.jsonl").open("a") as file:
        file.write('["of_tomorrow",{}]\nnothing\n["events",{"call_key":"k","n":7')
    (left,) = spools(tmp_path)
    assert left.adopt()
    assert left.take() == (ROWS[1:2], 2)
    left.taken()
    assert left.take() == ([], 1)
    left.taken()
    assert not left.waits
    left.close()


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written later behind those that were there before."""
    spool = Spool(tmp_path, "w", 1 << 20)
    spool.append(ROWS[:1])
    size = (tmp_path / "spool" / "w.jsonl").stat().st_size
    write = os.pwrite

    def full(handle: int, data: bytes, at: int) -> int:
        if len(data) > 20:
            return write(handle, data[:20], at)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            spool.append(ROWS[1:])
    assert (tmp_path / "spool" / "w.jsonl").stat().st_size == size
    spool.append(ROWS[1:])
    assert taken(spool) == ROWS
    spool.close()


def test_no_folder_has_no_spools(tmp_path: Path) -> None:
    """Nor has a file in its place."""
    assert list(spools(tmp_path / "none")) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        Spool(tmp_path / "file", "w", 1000).append(ROWS)
