"""Workers that are replaced one by one, without a call that is lost."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
from structlog.testing import capture_logs

from gateway.errors import GatewayError
from tests.cli.test_workers import SERVES, Fleet, fleet

__all__ = ["fleet"]

LEAVES = "signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))\nserve()"
"""A worker without calls: it ends when another takes the new ones."""
HAS_CALLS = """
until_then = []
signal.signal(signal.SIGHUP, lambda *_: until_then.append(True))
while not (until_then and os.path.exists(_ + "/over")):
    serve(0.05)
"""
"""One with calls, which are over when the test says so."""


def supervise(held: Fleet, group: asyncio.TaskGroup, count: int) -> list[asyncio.Task[None]]:
    """Keep so many workers running, and replace them on request."""
    tasks = [group.create_task(held.supervisor.keep_running(place)) for place in range(1, count + 1)]
    group.create_task(held.supervisor.replace_on_request())
    return tasks


async def serving(held: Fleet, *numbers: int) -> None:
    """Wait until the workers with these numbers give signs of life."""
    for number in numbers:
        await held.until_it_serves(number)


async def test_workers_are_replaced_one_after_the_other_each_once_its_calls_are_over(
    fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    """The successor serves before the old one hears of it, and the next worker waits for the old one's end."""
    held = fleet(HAS_CALLS, LEAVES, SERVES)
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            first = group.create_task(held.supervisor.keep_running(1))
            old = await held.until_started(1)
            await serving(held, 1)
            second = group.create_task(held.supervisor.keep_running(2))
            other = await held.until_started(2)
            await serving(held, 2)
            group.create_task(held.supervisor.replace_on_request())
            held.stop.request_restart()
            await held.until_started(3)
            await serving(held, 255)
            beats = held.board.beats(255)
            while held.board.beats(255) < beats + 20:  # noqa: ASYNC110 -- another process gives them
                await asyncio.sleep(0.01)
            assert (old.returncode, other.returncode, len(held.started)) == (None, None, 3)
            (tmp_path / "over").touch()
            await held.until_started(4)
            await other.wait()
            while not [entry for entry in logs if entry["event"] == "restarted"]:  # noqa: ASYNC110 -- the log has no event
                await asyncio.sleep(0.01)
            assert not first.done()
            assert not second.done()
            held.stop.request("SIGTERM")
    assert (old.returncode, other.returncode) == (0, 0)
    assert len(held.started) == 4
    assert (held.board.died, held.board.lost, held.board.replaced) == (0, 0, 2)
    assert [entry["worker"] for entry in logs if entry["event"] == "worker_replaced"] == [1, 2]


async def test_a_successor_that_cannot_start_leaves_the_old_worker_in_service(fleet: Callable[..., Fleet]) -> None:
    """So a new environment that is wrong costs nothing; what was read before stays for the next that dies."""
    held = fleet(SERVES, "os._exit(2)", SERVES)
    before = held.supervisor._shared
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            supervise(held, group, 1)
            old = await held.until_started(1)
            await serving(held, 1)
            held.stop.request_restart()
            while not (failed := [entry for entry in logs if entry["event"] == "restart_failed"]):  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.01)
            assert old.returncode is None
            held.stop.request("SIGTERM")
    ((worker, detail),) = [(entry["worker"], entry["detail"]) for entry in failed]
    assert (worker, detail) == (1, "its successor ended with 2 and never served")
    assert len(held.started) == 2
    assert held.board.died == 0
    assert held.supervisor._shared == before


async def test_a_configuration_that_cannot_be_used_replaces_nobody(fleet: Callable[..., Fleet]) -> None:
    """The log says why, and no process is started."""

    def reread() -> None:
        raise GatewayError("gateway.yaml:1:1: wrong")

    held = fleet(SERVES)
    held.supervisor._service = msgspec.structs.replace(held.supervisor._service, reread=reread)
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            supervise(held, group, 1)
            await serving(held, 1)
            held.stop.request_restart()
            while not (refused := [entry for entry in logs if entry["event"] == "restart_refused"]):  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.01)
            held.stop.request("SIGTERM")
    assert [entry["detail"] for entry in refused] == ["gateway.yaml:1:1: wrong"]
    assert len(held.started) == 1


async def test_a_stop_during_a_replacement_ends_all_of_them(fleet: Callable[..., Fleet]) -> None:
    """The old worker that still has calls, and its successor."""
    held = fleet(HAS_CALLS, SERVES)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        supervise(held, group, 1)
        old = await held.until_started(1)
        await serving(held, 1)
        held.stop.request_restart()
        successor = await held.until_started(2)
        await serving(held, 255)
        held.stop.request("SIGTERM")
    assert (old.returncode, successor.returncode) == (-signal.SIGTERM, -signal.SIGTERM)
    assert held.board.died == 0
