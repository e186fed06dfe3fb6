"""What one worker tells of all of them."""

import os
from pathlib import Path

from gateway.fleet.board import Board
from gateway.routes.worker_processes import WorkerDeaths, WorkerProcesses


def test_deaths_and_the_calls_that_ended_with_them_are_counted() -> None:
    """Each by its own name; nothing is told of a process that is alone."""
    board = Board(5)
    names = ("gateway_workers_died_total", "gateway_calls_lost_total", "gateway_workers_replaced_total")
    assert _values(board) == dict.fromkeys(names, 0)
    board.note_death(3)
    board.note_death(0)
    board.note_replacement()
    assert _values(board) == dict(zip(names, (2, 3, 1), strict=True))


def _values(board: Board) -> dict[str, float]:
    return {sample.name: sample.value for family in WorkerDeaths(board).collect() for sample in family.samples}


def test_each_live_worker_has_its_own_series(tmp_path: Path) -> None:
    """Told apart by ``pid``: their sum would hide the one that grows. Other files of the folder are none of them."""
    own, parent = str(os.getpid()), str(os.getppid())
    for name in (f"gauge_livesum_{own}.db", f"gauge_livesum_{parent}.db", "counter_1.db", f"gauge_livesum_{own}.txt"):
        (tmp_path / name).touch()
    families = {family.name: family for family in WorkerProcesses(str(tmp_path)).collect()}
    memory = families["process_resident_memory_bytes"]
    assert {sample.labels["pid"]: sample.name for sample in memory.samples} == dict.fromkeys(
        sorted([own, parent]), "process_resident_memory_bytes"
    )
    assert all(sample.value > 1e5 for sample in memory.samples)
    assert (memory.type, bool(memory.documentation)) == ("gauge", True)
    assert {"process_open_fds", "process_cpu_seconds", "process_start_time_seconds"} <= families.keys()
