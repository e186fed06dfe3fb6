"""A loaded process that takes the place of a worker that dies."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.cli.processes import spare as module
from gateway.cli.processes.spare import Spare
from gateway.fleet.board import board_file
from tests.cli.test_workers import SERVES, Fleet, fleet

__all__ = ["fleet"]

WAITS = """
import json, os, sys
from gateway.cli.processes.given import LISTENERS, WORKER, has_place
from gateway.cli.worker import inherited_listeners
if not has_place():
    os._exit(0)
listeners = inherited_listeners()
sockets = [one.getsockname()[1] for one in (*listeners.public, *listeners.private)]
told = {"worker": os.environ[WORKER], "sockets": sockets, "counts": [len(listeners.public), len(listeners.private)]}
open(os.environ["REPORT"], "w").write(json.dumps(told))
"""
"""A process that waits for a place, and tells which one it was given."""
STAYS = "import time; time.sleep(600)"


class Room:
    """A spare worker whose process is a program of the test, and its environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, descriptor: int, *programs: str) -> None:
        self.started: list[asyncio.subprocess.Process] = []
        self.asked = asyncio.Event()
        self.spare = Spare([], descriptor)
        self.report = folder / "report"
        self.environ: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "REPORT": str(self.report),
        }
        self._grown = asyncio.Condition()
        create = asyncio.create_subprocess_exec

        async def start(*_: str, **how: Any) -> asyncio.subprocess.Process:
            program = programs[min(len(self.started), len(programs) - 1)]
            made = await create(sys.executable, "-c", program, **how)
            async with self._grown:
                self.started.append(made)
                self._grown.notify_all()
            return made

        monkeypatch.setattr(asyncio, "create_subprocess_exec", start)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep a spare worker."""
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            group.create_task(self.spare.keep(lambda: self.environ, self.asked))
            try:
                yield
            finally:
                self.asked.set()

    async def until_started(self, count: int) -> asyncio.subprocess.Process:
        """Wait for the process that is started as the ``count``-th."""
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.started) >= count)
        return self.started[count - 1]


MakeRoom = Callable[..., Room]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakeRoom]:
    """Make a room whose processes are these programs."""
    descriptor = board_file(5)
    yield lambda *programs: Room(monkeypatch, tmp_path, descriptor, *programs)
    os.close(descriptor)


async def test_the_process_that_waits_gets_place_and_sockets(room: MakeRoom) -> None:
    """It is the one that was there: none is started for it. Only then another one waits."""
    held = room(WAITS)
    one, other, ports = socket.socket(), socket.socket(), []
    with one, other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
            ports.append(each.getsockname()[1])
        async with held.kept():
            assert held.spare.take(held.environ, "1/2/x", [one], [other]) is None
            held.spare.wanted.set()
            process = await held.until_started(1)
            held.spare.wanted.clear()
            taken = held.spare.take(held.environ, "1/2/a\nfolder", [one], [other])
            assert taken is process
            assert held.spare.take(held.environ, "1/2/x", [one], [other]) is None
            assert await process.wait() == 0
            assert len(held.started) == 1
            held.spare.wanted.set()
            await held.until_started(2)
    assert json.loads(held.report.read_text("utf-8")) == {
        "worker": "1/2/a\nfolder",
        "sockets": ports,
        "counts": [1, 1],
    }
    assert held.started[1].returncode == -signal.SIGKILL


async def test_another_environment_needs_another_process(room: MakeRoom) -> None:
    """One that was loaded with what is no longer in force takes no place, and can be given up for the next."""
    held = room(WAITS)
    async with held.kept():
        held.spare.wanted.set()
        old = await held.until_started(1)
        held.environ = {**held.environ}
        assert held.spare.take(held.environ, "1/2/x", [], []) is None
        held.spare.give_up()
        new = await held.until_started(2)
        assert await old.wait() == -signal.SIGKILL
        await asyncio.sleep(0)
        assert held.spare.take(held.environ, "1/2/x", [], []) is new
        await new.wait()
    assert held.report.exists()


async def test_one_that_ends_or_cannot_be_started_is_told_and_tried_again(
    room: MakeRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later, because it may end at once each time."""
    monkeypatch.setattr(module, "AGAIN_S", 0.001)
    held = room("raise SystemExit(3)", STAYS)
    start, refusals = asyncio.create_subprocess_exec, [OSError(11, "no room")]

    async def without_room(*command: str, **how: Any) -> asyncio.subprocess.Process:
        if held.started and refusals:
            raise refusals.pop()
        return await start(*command, **how)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", without_room)
    with capture_logs() as logs:
        async with held.kept():
            held.spare.wanted.set()
            last = await held.until_started(2)
            assert last.returncode is None
    assert [entry["detail"] for entry in logs if entry["event"] == "spare_lost"] == ["it has ended with 3", "no room"]
    assert last.returncode == -signal.SIGKILL


async def test_it_ends_with_its_supervisor(room: MakeRoom) -> None:
    """However that ends: its end of the socket is closed, and nobody is left to give it a place."""
    held = room(WAITS)
    async with held.kept():
        held.spare.wanted.set()
        process = await held.until_started(1)
        assert held.spare._place is not None
        held.spare._place.close()
        assert await process.wait() == 0
    assert not held.report.exists()


async def test_the_spare_worker_follows_one_that_dies(
    fleet: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor starts it while all others serve, gives it the dead one's place, and starts the next only once
    that one serves; no interpreter is started in between.
    """
    held = fleet(SERVES, spare=True)
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            group.create_task(held.supervisor.keep_running(1))
            group.create_task(held.supervisor.keep_spare())
            first, spare = await held.until_started(1), await held.until_started(2)
            await held.until_it_serves(1)
            beats = held.board.beats(1)
            first.kill()
            while held.board.beats(1) == beats or spare.returncode:  # noqa: ASYNC110 -- another process gives it
                await asyncio.sleep(0.01)
            third = await held.until_started(3)
            assert (first.returncode, spare.returncode, third.returncode) == (-signal.SIGKILL, None, None)
            held.stop.request("SIGTERM")
    assert [(e["worker"], e["pid"]) for e in logs if e["event"] == "spare_takes_over"] == [(1, spare.pid)]
    assert len(held.started) == 3
