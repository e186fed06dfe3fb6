import errno
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from gateway.tape import writer as module
from gateway.tape.call_tape import CallTape, Entry
from gateway.tape.fakes import Fakes
from gateway.tape.form import FORM, Header, read_tape
from gateway.tape.redaction import Redaction
from gateway.tape.writer import TapeFile, Writer, open_private
from tests.e2e.rig import Log, listening


def tape_file(path: Path, clock: float = 100.0) -> TapeFile:
    """A file that is not open yet."""
    tape = CallTape(Redaction(Fakes(b"key")), clock, keep_audio=False)
    return TapeFile(path, tape, Header(FORM, "0.1", "2026-11-29T17:00:00Z", clock, "twilio"))


def entry(at: float = 101.0, message: object = "MARK_MEDIA g1-1", kind: str = "message") -> Entry:
    """A message of the phone."""
    return Entry(at, "phone", "in", message, kind)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask is."""
    before = os.umask(0)
    try:
        descriptor, is_new = open_private(tmp_path / "tape")
    finally:
        os.umask(before)
    os.close(descriptor)
    assert is_new
    assert stat.S_IMODE((tmp_path / "tape").stat().st_mode) == 0o600
    descriptor, is_new = open_private(tmp_path / "tape")
    os.close(descriptor)
    assert not is_new


@pytest.mark.parametrize("kind", ["link", "hard link", "readable", "directory", "fifo"])
def test_nothing_else_is_written_to(tmp_path: Path, kind: str) -> None:
    """Not through a link, not into a file that others may read, or that has another name."""
    target, path = tmp_path / "target", tmp_path / "tape"
    target.write_text("mine")
    target.chmod(0o600)
    match kind:
        case "link":
            path.symlink_to(target)
        case "hard link":
            path.hardlink_to(target)
        case "readable":
            path.write_text("")
            path.chmod(0o644)
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path, 0o600)
    with pytest.raises(OSError, match=r"name|link|directory|Is a|No such"):
        open_private(path)
    assert target.read_text() == "mine"


def test_two_workers_append_to_one_tape(tmp_path: Path) -> None:
    """With the times of the first one's clock, whichever wrote first."""
    first, second = tape_file(tmp_path / "tape", 100.0), tape_file(tmp_path / "tape", 140.0)
    first.add(entry(101.0))
    second.add(entry(150.0))
    first.add(entry(151.0))
    for file in (first, second):
        file.close()
    assert [line.t for _, line in read_tape(tmp_path / "tape").lines] == [1.0, 50.0, 51.0]


async def test_a_file_that_is_no_tape_is_left_alone(tmp_path: Path) -> None:
    """It is said in the log, and the call goes on."""
    path = tmp_path / "tape"
    path.write_text("not a tape\n")
    path.chmod(0o600)
    with listening() as log:
        file = tape_file(path)
        file.add(entry())
        file.add(entry())
        assert await _told(log) == [{"file": str(path), "detail": "what has this name is no tape"}]
    assert path.read_text() == "not a tape\n"


async def _told(log: Log) -> list[dict[str, object]]:
    return [{"file": one["file"], "detail": one["detail"]} for one in log.of("tape_failed")]


async def test_a_full_disk_ends_the_tape_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once."""

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tape_file(tmp_path / "tape")
    file.add(entry())
    with listening() as log, monkeypatch.context() as patch:
        patch.setattr("gateway.tape.writer.os.write", full)
        file.add(entry())
        file.add(entry())
        assert [one["detail"] for one in await _told(log)] == ["No space left on device"]
    assert file.lines == 2


async def test_a_record_that_cannot_be_made_is_named_as_lost(tmp_path: Path) -> None:
    """Its content is not in the log."""
    file = tape_file(tmp_path / "tape")
    with listening() as log:
        file.add(entry(message=object()))
        assert "object" not in str((await _told(log))[0]["detail"])
    file.close()
    ((_, line),) = read_tape(tmp_path / "tape").lines
    assert (line.kind, line.facts) == ("lost", {"count": 1, "of": {"phone in": 1}})


def test_the_thread_writes_all_that_waits_before_it_ends(tmp_path: Path) -> None:
    """In order."""
    writer, file = Writer(), tape_file(tmp_path / "tape")
    for number in range(500):
        writer.add(file, entry(101.0 + number))
    writer.close()
    file.close()
    assert [line.t for _, line in read_tape(tmp_path / "tape").lines] == [1.0 + number for number in range(500)]


def test_what_does_not_fit_is_dropped_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk stands still; the audio path goes on at once."""
    gate = threading.Event()
    real = os.write

    def slow(descriptor: int, data: bytes) -> int:
        gate.wait()
        return real(descriptor, data)

    monkeypatch.setattr(module, "WAITING_LIMIT", 10_000)
    writer, file = Writer(), tape_file(tmp_path / "tape")
    with monkeypatch.context() as patch:
        patch.setattr("gateway.tape.writer.os.write", slow)
        for number in range(100):
            writer.add(file, entry(101.0 + number))
        assert file.lost.total() > 0
        lost = file.lost.total()
        gate.set()
        while writer._added != writer._taken:
            threading.Event().wait(0.01)
        writer.add(file, entry(300.0))
        writer.close()
    file.close()
    lines = [line for _, line in read_tape(tmp_path / "tape").lines]
    assert len(lines) == 100 - lost + 2
    assert (lines[-2].kind, lines[-2].facts) == ("lost", {"count": lost, "of": {"phone in": lost}})
    assert lines[-1].t == 200.0


def test_a_tape_that_grows_too_large_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot fill the disk."""
    monkeypatch.setattr(module, "FILE_LIMIT", 1000)
    file = tape_file(tmp_path / "tape")
    for _ in range(50):
        file.add(entry())
    assert (tmp_path / "tape").stat().st_size <= 1000
    assert json.loads((tmp_path / "tape").read_text().splitlines()[-1])["side"] == "phone"
