"""The thread that follows the files of the lines; tests/routes/test_line_book.py has what the gateway makes of it."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.config import Lines, following, load_deployment
from gateway.config.following import LineFollower
from gateway.config.lines import Update

PATIENCE_S = 20.0


class Followed:
    """A follower of the lines in a directory; ``updates`` holds what it has reported."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "lines"
        self.folder.mkdir()
        (root / "gateway.yaml").write_text("")
        self.write(0)
        self.updates: queue.Queue[Update] = queue.Queue()
        self.ended = threading.Event()
        self.by: set[str] = set()
        self.on_update: Callable[[], object] = lambda: None
        self.follower = LineFollower(Lines(load_deployment(root / "gateway.yaml", {})), self._report, self.ended.set)

    def write(self, *numbers: int) -> None:
        """Write lines, each with a number of its own."""
        for number in numbers:
            self.put(f"line{number}.yaml", f'numbers: ["{1000 + number}"]\ninstructions: Answer.\n')

    def put(self, name: str, text: str) -> None:
        """Write a file in one step, so that no look finds a part of it."""
        (self.folder.parent / "written").write_text(text)
        (self.folder.parent / "written").replace(self.folder / name)

    def next_update(self) -> Update:
        """Return the next update, in bounded time."""
        return self.updates.get(timeout=PATIENCE_S)

    def _report(self, update: Update) -> None:
        self.by.add(threading.current_thread().name)
        self.updates.put(update)
        self.on_update()


@contextmanager
def running(root: Path) -> Iterator[Followed]:
    """Follow the lines, and require that the thread ends once it is asked to."""
    followed = Followed(root)
    followed.follower.start()
    try:
        yield followed
    finally:
        followed.follower.stop()
        assert followed.ended.wait(PATIENCE_S)


def no_watch(*_: object, **__: object) -> Any:
    """Fail as the system does that can watch no more files."""
    raise OSError(28, "OS file watch limit reached")


def test_changes_are_reported_from_its_thread(tmp_path: Path) -> None:
    """Files that come, change and go; the thread does not keep the process from ending."""
    with running(tmp_path) as followed:
        assert [thread.daemon for thread in threading.enumerate() if thread.name == "line-files"] == [True]
        followed.write(1)
        assert [line.name for line in followed.next_update().loaded] == ["line1"]
        followed.put("line1.yaml", "numbers: 7\ninstructions: Answer.\n")
        (refused,) = followed.next_update().refused
        assert "numbers: expected a text" in str(refused.error)
        (followed.folder / "line1.yaml").unlink()
        assert [line.name for line in followed.next_update().removed] == ["line1"]
    assert followed.by == {"line-files"}


def test_many_changes_are_reported_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty at once, so that calls get their turn between them."""
    monkeypatch.setattr(following, "_REPORTED_AT_ONCE", 2)
    followed = Followed(tmp_path)
    followed.write(1, 2, 3, 4, 5)
    assert list(followed.follower._look()) == [followed.folder]
    sizes = [len(followed.updates.get_nowait().loaded) for _ in range(followed.updates.qsize())]
    assert sizes == [2, 2, 1]


def test_a_stop_between_two_pieces_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left over is not reported any more."""
    monkeypatch.setattr(following, "_REPORTED_AT_ONCE", 2)
    followed = Followed(tmp_path)
    followed.write(1, 2, 3, 4, 5)
    followed.on_update = followed.follower.stop
    followed.follower._look()
    assert followed.updates.qsize() == 1


def test_files_are_polled_where_they_cannot_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says so, with the reason and the time between two looks."""
    monkeypatch.setattr("watchfiles.watch", no_watch)
    monkeypatch.setattr(following, "POLL_S", 0.02)
    with capture_logs() as logs, running(tmp_path) as followed:
        followed.write(1)
        assert [line.name for line in followed.next_update().loaded] == ["line1"]
    assert logs[0] == {
        "event": "line_files_polled",
        "detail": "[Errno 28] OS file watch limit reached",
        "every_s": 0.02,
        "log_level": "info",
    }


def test_a_bug_is_logged_and_the_files_are_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no folder to watch it polls, and the next look finds the changes."""
    monkeypatch.setattr(following, "POLL_S", 0.02)
    followed = Followed(tmp_path)
    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(Lines, "refresh", lambda _: 1 // 0)
        assert followed.follower._look() == {}
    assert [line["event"] for line in logs] == ["lines_not_followed"]
    followed.write(1)
    assert list(followed.follower._look()) == [followed.folder]
    assert [line.name for line in followed.next_update().loaded] == ["line1"]


def test_a_folder_that_is_made_anew_is_another(tmp_path: Path) -> None:
    """It is known by its inode; one that is gone is not watched."""
    followed = Followed(tmp_path)
    first = followed.follower._look()
    followed.folder.rename(tmp_path / "old")
    assert followed.follower._look() == {}
    followed.folder.mkdir()
    assert set(first) == {followed.folder}
    assert followed.follower._look() != first
