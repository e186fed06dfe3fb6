"""``GET /healthz``, ``/readyz`` and ``/metrics``: the state of the process, for monitoring."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.call.calls import Calls
from gateway.call.metrics import Metrics
from gateway.fleet.board import Board
from gateway.routes.worker_processes import WorkerDeaths, WorkerProcesses


class Health:
    """Reports whether the process is alive, whether it takes calls, and its metrics."""

    def __init__(
        self,
        calls: Calls,
        metrics: Metrics,
        board: Board,
        reductions: Callable[[], Sequence[Mapping[str, object]]] = tuple,
    ) -> None:
        """``reductions`` tells what is left out of Voice Live sessions because the service refused it."""
        self._calls = calls
        self._reductions = reductions
        self._metrics = metrics
        self._deaths = WorkerDeaths(board)

    async def alive(self, request: web.Request) -> web.Response:
        """Return 200 while the event loop runs."""
        return web.json_response({"status": "alive", "calls": len(self._calls)})

    async def ready(self, request: web.Request) -> web.Response:
        """Return 200 while one more call would be taken; 503 when full or shutting down."""
        status = "ready" if self._calls.willing else "draining" if self._calls.draining else "full"
        body: dict[str, object] = {"status": status, "calls": self._calls.in_use, "limit": self._calls.limit}
        if reductions := self._reductions():
            body["session_reduced"] = list(reductions)
        return web.json_response(body, status=200 if self._calls.willing else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Return the metrics in the Prometheus text format, version 0.0.4; with several workers, those of all of them.

        Many lines have many series: the text is made in a thread, so that it does not delay any call's audio.
        """
        text = (await asyncio.to_thread(_exposition, self._metrics.registry, self._deaths)).decode()
        return web.Response(text=text, content_type="text/plain", charset="utf-8")


def _exposition(own: CollectorRegistry, deaths: WorkerDeaths) -> bytes:
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    of_fleet = CollectorRegistry()
    of_fleet.register(deaths)
    if not directory or not Path(directory).is_dir():  # removed as a temporary file: only own metrics
        return generate_latest(own) + generate_latest(of_fleet)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # prometheus_client leaves its constructor untyped
    together.register(WorkerProcesses(directory))
    return generate_latest(together) + generate_latest(of_fleet)
