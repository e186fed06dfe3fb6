"""What a worker owes to its supervisor."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from gateway.cli import worker
from gateway.cli.processes.given import WORKER, is_worker, kept_configuration, worker_variable
from gateway.cli.stopping import Stop
from gateway.cli.worker import on_duty, shared_board
from gateway.fleet.board import Board, board_file
from gateway.fleet.places import KnownCall


@pytest.fixture
def descriptor() -> Iterator[int]:
    """The board of a fleet that takes two calls."""
    made = board_file(2)
    yield made
    os.close(made)


async def nothing(call: KnownCall) -> None:
    """Go on with a call."""
    raise AssertionError(call)


def take_no_news() -> None:
    """Hear what other workers were told."""
    raise AssertionError


def test_a_worker_knows_what_it_shares(monkeypatch: pytest.MonkeyPatch, descriptor: int) -> None:
    """Its number, the board and the configuration come in one variable; a process alone has none of them."""
    monkeypatch.delenv(WORKER, raising=False)
    assert (is_worker(), shared_board(2), kept_configuration()) == (False, None, None)
    monkeypatch.setenv(WORKER, worker_variable(3, descriptor, Path("/a/b/c")))
    assert (is_worker(), kept_configuration()) == (True, Path("/a/b/c"))
    board = shared_board(2)
    assert board is not None
    board.beat()
    assert Board(2, descriptor).beats(3) == 1


async def test_a_worker_on_duty_gives_signs_of_life_and_goes_on_with_orphaned_calls(
    monkeypatch: pytest.MonkeyPatch, descriptor: int
) -> None:
    """Until its loop ends, also while it drains; and it stops when its supervisor is gone."""
    read, write = os.pipe()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: read))
    monkeypatch.setattr(worker, "BEAT_S", 0.001)
    monkeypatch.setattr(worker, "ADOPT_S", 0.001)
    board, dead, stop = Board(2, descriptor, 1), Board(2, descriptor, 2), Stop()
    adopted: asyncio.Queue[KnownCall] = asyncio.Queue()
    beats_seen: list[int] = []
    async with asyncio.timeout(60):
        async with on_duty(board, stop, lambda: beats_seen.append(board.beats(1)), adopted.put):
            place = dead.places.take()
            assert place is not None
            dead.places.name(place, ("acs", "C1"), "sales", None)
            board.places.orphan(2)
            assert await adopted.get() == KnownCall("acs", "C1", "sales")
            os.close(write)
            await stop.asked.wait()
            assert stop.signal == "supervisor gone"
        beats = board.beats(1)
        while board.beats(1) == beats:  # noqa: ASYNC110 -- nobody tells of a beat
            await asyncio.sleep(0.001)
    assert beats_seen[0] == 1
    assert beats_seen[-1] > beats
    os.close(read)


async def test_a_call_that_cannot_be_adopted_harms_nobody(monkeypatch: pytest.MonkeyPatch, descriptor: int) -> None:
    """The next is."""
    read, write = os.pipe()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: read))
    board, dead = Board(2, descriptor, 1), Board(2, descriptor, 2)
    for call_id in ("C1", "C2"):
        place = dead.places.take()
        assert place is not None
        dead.places.name(place, ("acs", call_id), "sales", None)
    board.places.orphan(2)
    adopted = asyncio.Event()

    async def go_on(call: KnownCall) -> None:
        if call.call_id == "C1":
            raise ZeroDivisionError
        adopted.set()

    with capture_logs() as logs:
        async with asyncio.timeout(60), on_duty(board, Stop(), lambda: None, go_on):
            await adopted.wait()
    assert [(entry["event"], entry["call"]) for entry in logs] == [("call_not_adopted", "C1")]
    asyncio.get_running_loop().remove_reader(read)
    os.close(read)
    os.close(write)


async def test_a_process_alone_owes_nothing() -> None:
    """Its standard input is its own."""
    stop = Stop()
    async with on_duty(None, stop, take_no_news, nothing):
        await asyncio.sleep(0)
    assert not stop.asked.is_set()


def test_a_worker_loads_no_more_than_it_needs() -> None:
    """Neither the simulator nor the examination, nor the other commands: half a worker's start is what it loads."""
    program = "import sys; from gateway.cli import serve; from gateway.cli.serving import process; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 -- our own words
    assert "gateway.app" in loaded
    others = ("gateway.sim.emulator", "gateway.sim.phone", "gateway.sim.report", "gateway.doctor.examination", "jinja2")
    assert [name for name in loaded if name.startswith((*others, "gateway.cli.call.", "gateway.tape.report"))] == []
    assert not {"gateway.cli.call", "gateway.cli.doctor", "gateway.cli.init"} & {*loaded}
