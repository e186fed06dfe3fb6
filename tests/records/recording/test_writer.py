import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import soundfile
import structlog

from gateway.audio.formats import PCMU
from gateway.call.record import CallIdentity
from gateway.phone.events import Playout
from gateway.records.recording import writer as module
from gateway.records.recording.entries import PAUSED
from gateway.records.recording.places import FolderAlone
from gateway.records.recording.timeline import Timeline
from gateway.records.recording.writer import End, RecordingQueue, Writer
from gateway.records.storing.pending import Waiting

IDENTITY = CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0)
FRAME = b"\x22" * 160


class Clock:
    """The time of the calls."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def hear(queue: RecordingQueue, at: float) -> None:
    """Let a frame of the caller wait."""
    queue.heard.audio.extend(FRAME)
    queue.heard.sizes.append(len(FRAME))
    queue.heard.at.append(at)


class Written:
    """A writer and what it has finished."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.done: list[RecordingQueue] = []
        self.lost: list[float] = []
        self._ended = threading.Semaphore(0)
        self.writer = Writer(self.clock, self._take, self.lost.append)

    def _take(self, queue: RecordingQueue) -> None:
        self.done.append(queue)
        self._ended.release()

    def wait(self, count: int = 1) -> None:
        """Return once so many are done."""
        for _ in range(count):
            assert self._ended.acquire(timeout=30)

    def open(self, path: Path) -> RecordingQueue:
        """Begin a recording."""
        about = Waiting(path.stem, "support", datetime(2026, 11, 29, tzinfo=UTC))
        queue = RecordingQueue(FolderAlone(path.parent), about, IDENTITY, PCMU)
        queue.timeline = Timeline(PCMU, Playout(), "stereo", self.clock.now)
        self.writer.open(queue)
        return queue

    def say(self, queue: RecordingQueue, seconds: float) -> None:
        """Let the caller of a call that has just begun speak."""
        for number in range(round(seconds * 50)):
            self.clock.now = number / 50
            hear(queue, self.clock.now)


def test_a_recording_is_written_to_its_end(tmp_path: Path) -> None:
    """And told in the end."""
    held = Written()
    queue = held.open(tmp_path / "a.wav")
    held.say(queue, 3)
    held.writer.end(queue, End(3.0, keeps=True))
    held.wait()
    held.writer.close()
    assert held.done == [queue]
    assert (tmp_path / "a.wav").read_bytes()[58:] == b"\x22\xff" * 24_000
    assert soundfile.info(tmp_path / "a.wav").frames == 24_000


def test_one_thread_writes_all(tmp_path: Path) -> None:
    """Two hundred at once."""
    before, held = threading.active_count(), Written()
    queues = [held.open(tmp_path / f"{number}.wav") for number in range(200)]
    assert threading.active_count() == before + 1
    for number in range(50):
        held.clock.now = number / 50
        for queue in queues:
            hear(queue, held.clock.now)
    for queue in queues:
        held.writer.end(queue, End(1.0, keeps=True))
    held.wait(200)
    held.writer.close()
    assert {path.stat().st_size for path in tmp_path.glob("*.wav")} == {58 + 16_000}
    assert threading.active_count() == before


@pytest.mark.parametrize("is_written", [True, False])
def test_one_that_is_not_kept_leaves_nothing(tmp_path: Path, is_written: bool) -> None:
    """Whether something was written or not."""
    held = Written()
    queue = held.open(tmp_path / "a.wav")
    held.say(queue, 3)
    until = time.monotonic() + 30
    while is_written and not list(tmp_path.glob("*.wav")) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_written or list(tmp_path.glob("*.wav"))
    held.writer.end(queue, End(3.0, keeps=False))
    held.wait()
    held.writer.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_more_than_may_wait_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not answer: memory has a limit. What must not be lost is kept all the same."""
    monkeypatch.setattr(module, "WAITING_LIMIT", 20_000)
    held, stuck, goes_on = Written(), threading.Event(), threading.Event()
    queue = held.open(tmp_path / "a.wav")
    real = queue.file.write

    def slow(audio: bytes) -> bool:
        stuck.set()
        goes_on.wait(30)
        return real(audio)

    monkeypatch.setattr(queue.file, "write", slow)
    held.clock.now = 1.0
    held.writer.end(queue, End(2.0, keeps=True))
    assert stuck.wait(30)
    asked = (100, 10_000, 1000, 900, 2000, 1)
    assert [held.writer.grant(least) for least in asked] == [module.GRANT, 10_000, 1808, 0, 0, 0]
    held.writer.give_back(1000)
    assert [held.writer.grant(least) for least in (1001, 900)] == [0, 1000]
    held.writer.add_always(queue, (PAUSED, 2.0, 0, b"", ""))
    assert len(queue.entries) == 1
    queue.lost = 4000
    assert queue.lost_s == pytest.approx(0.5)
    goes_on.set()
    held.wait()
    held.writer.close()


def test_where_much_waits_all_are_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread is woken, although the next turn of most is far."""
    monkeypatch.setattr(module, "CYCLE_S", 3600.0)
    held = Written()
    queues = [held.open(tmp_path / f"{number}.wav") for number in range(3 * module.AT_ONCE)]
    for queue in queues:
        held.writer.end(queue, End(1.0, keeps=True))
    while held.writer.grant(module.WAKE_AT // 4):
        pass
    held.wait(len(queues))
    held.writer.close()


def test_each_has_its_turn_within_a_cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few at a time, and then a pause that is shorter the more there are."""
    monkeypatch.setattr(module, "CYCLE_S", 0.2)
    held = Written()
    queues = [held.open(tmp_path / f"{number}.wav") for number in range(3 * module.AT_ONCE)]
    for queue in queues:
        held.writer.end(queue, End(1.0, keeps=True))
    held.wait(len(queues))
    held.writer.close()
    assert {path.stat().st_size for path in tmp_path.glob("*.wav")} == {58 + 16_000}


def test_a_disk_that_is_full_is_told_once(tmp_path: Path, log: Callable[[str], list[dict[str, object]]]) -> None:
    """And its loss counted; the other recordings are written."""
    (tmp_path / "file").write_bytes(b"")
    held = Written()
    bad, good = held.open(tmp_path / "file" / "a.wav"), held.open(tmp_path / "b.wav")
    held.say(good, 2)
    for queue in (bad, good):
        held.writer.end(queue, End(20.0, keeps=True))
    held.wait(2)
    held.writer.close()
    assert sum(held.lost) == pytest.approx(20.0)
    assert bad.lost_s == pytest.approx(20.0)
    assert good.file.seconds == 20.0
    (told,) = log("recording_failed")
    assert told["call"] == "CA1"
    assert told["detail"] == "File exists"


def test_a_bug_ends_one_recording_alone(tmp_path: Path, log: Callable[[str], list[dict[str, object]]]) -> None:
    """With a traceback in the log; what comes for it until its call ends is let go."""
    held = Written()
    bad, good = held.open(tmp_path / "a.wav"), held.open(tmp_path / "b.wav")
    bad.entries.append("no entry")  # type: ignore[arg-type]  # what no tap would do
    held.say(good, 1)
    held.writer.end(good, End(1.0, keeps=True))
    held.wait()
    assert held.done == [good]
    hear(bad, 1.0)
    held.writer.end(bad, End(1.0, keeps=True))
    held.wait()
    held.writer.close()
    assert good.file.seconds == 1.0
    assert bad.file.failure == "a bug: see recording_failed"
    assert not bad.heard.at
    assert [told["exc_info"] for told in log("recording_failed")] == [True]


def test_what_has_not_ended_stays(tmp_path: Path) -> None:
    """A process that ends closes its files."""
    held = Written()
    queue = held.open(tmp_path / "a.wav")
    held.say(queue, 2)
    held.writer.close()
    assert held.done == []
    assert soundfile.info(tmp_path / "a.wav").frames == pytest.approx(1.48 * 8000, abs=160)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[dict[str, object]]]:
    """What is logged, by event."""
    captured = structlog.testing.LogCapture()
    monkeypatch.setattr(module, "log", structlog.wrap_logger(None, processors=[captured]))
    return lambda event: [dict(entry) for entry in captured.entries if entry["event"] == event]
