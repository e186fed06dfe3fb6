"""Follows the lines' files in a thread of its own, so that a hanging file system cannot delay a call."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import structlog
import watchfiles

from gateway.config.lines import Lines, Update

POLL_S = 2.0
"""Seconds between two checks of the files, because network mounts and links report no changes."""
_WAKE_MS = 250
"""Longest delay of a change that happens while a watch is being set up."""
_GATHER_MS = 200
"""Changes within this time are handled together."""
_STEP_MS = 50

_REPORTED_AT_ONCE = 20
_BREATH_S = 0.005
"""Pause after every few lines that are reported, so that calls get their turn when a thousand lines change at once."""

log = structlog.get_logger()


class LineFollower:
    """Checks the files when the system reports a change, and every :data:`POLL_S`.

    ``report`` is called for each update and ``ended`` once the thread ends, both from that thread. It is a daemon
    thread, because a thread that waits for a mount that does not answer can be neither interrupted nor joined.
    """

    def __init__(self, lines: Lines, report: Callable[[Update], None], ended: Callable[[], None]) -> None:
        self._lines = lines
        self._report = report
        self._ended = ended
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line-files", daemon=True)

    def start(self) -> None:
        """Start the thread that follows the files."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does within a moment, unless it hangs."""
        self._stop.set()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                folders = self._look()
                for _ in self._changes(folders):
                    if self._stop.is_set() or self._look() != folders:
                        break
        finally:
            self._ended()

    def _look(self) -> Mapping[Path, int]:
        """Report what changed; return the folders to watch, each with its inode, because a folder may be made anew."""
        try:
            for index, piece in enumerate(self._lines.refresh().pieces(_REPORTED_AT_ONCE)):
                if self._stop.wait(_BREATH_S if index else 0):
                    break
                self._report(piece)
            return {folder: folder.stat().st_ino for folder in self._lines.folders() if folder.is_dir()}
        except Exception:  # a bug: the next look may find the changes
            log.exception("lines_not_followed")
            return {}

    def _changes(self, folders: Collection[Path]) -> Iterator[object]:
        """Yield when something changed in ``folders``, when they begin to be watched, and every :data:`POLL_S`."""
        if folders:
            due = 0.0
            try:
                for changes in watchfiles.watch(
                    *folders,
                    watch_filter=None,
                    debounce=_GATHER_MS,
                    step=_STEP_MS,
                    stop_event=self._stop,
                    rust_timeout=_WAKE_MS,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    recursive=self._lines.is_deep,
                    ignore_permission_denied=True,
                ):
                    if changes or time.monotonic() >= due:
                        yield changes
                        due = time.monotonic() + POLL_S
            except (OSError, RuntimeError) as error:  # too many watches, or a file system that supports none
                log.info("line_files_polled", detail=str(error), every_s=POLL_S)
        while not self._stop.wait(POLL_S):
            yield None
