"""Metrics of all workers together: each worker answers ``/metrics`` for the others too."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.fleet.board import Board

_LIVE_GAUGES = "gauge_livesum_"
"""Beginning of the name that prometheus_client gives the file of a live worker's gauges; the process id follows."""


class WorkerDeaths(Collector):
    """Counts how often a worker died or was replaced, as the supervisor saw it; 0 if there is only one process."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        """Return the number of deaths, of the calls that were lost with them, and of replacements in order."""
        yield CounterMetricFamily("gateway_workers_died", "Workers that died or were killed.", self._board.died)
        yield CounterMetricFamily("gateway_workers_replaced", "Workers replaced in order.", self._board.replaced)
        yield CounterMetricFamily("gateway_calls_lost", "Calls that ended with their worker.", self._board.lost)


class WorkerProcesses(Collector):
    """Collects memory, descriptors, processor time and start of each live worker, labelled by ``pid``."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def collect(self) -> Iterator[Metric]:
        """Return one family for each process metric, with a sample for each worker."""
        families: dict[str, Metric] = {}
        for pid in self._pids():
            for found in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    family.add_sample(sample.name, {**sample.labels, "pid": pid}, sample.value)
        yield from families.values()

    def _pids(self) -> list[str]:
        return sorted(file.stem.removeprefix(_LIVE_GAUGES) for file in self._directory.glob(f"{_LIVE_GAUGES}*.db"))
