"""``GET /healthz``, ``/readyz`` and ``/metrics``: the state of the process, for monitoring."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.call.calls import Calls
from gateway.call.metrics import Metrics
from gateway.fleet.board import Board
from gateway.routes.admitting.load import Load
from gateway.routes.worker_processes import WorkerDeaths, WorkerProcesses
from gateway.voice.endpoints.metrics import EndpointMetrics
from gateway.voice.endpoints.pool import Lack, Shown
from gateway.voice.endpoints.pooled import PooledVoiceLive


class Health:
    """Reports whether the process is alive, whether it takes calls, and its metrics."""

    def __init__(
        self,
        calls: Calls,
        metrics: Metrics,
        board: Board,
        voice_live: PooledVoiceLive,
        of_endpoints: EndpointMetrics,
        answers_when_full: Callable[[], bool] = lambda: False,
        load: Load | None = None,
        *,
        public_legs: Sequence[str] = (),
    ) -> None:
        """``answers_when_full`` tells whether callers for whom there is no room are to hear something from here.

        ``load`` is what limits calls where their number does not. ``public_legs`` are the legs whose sockets use public
        names of libraries alone.
        """
        self._load = load
        self._public_legs = public_legs
        self._calls = calls
        self._voice_live = voice_live
        self._of_endpoints = of_endpoints
        self._metrics = metrics
        self._answers_when_full = answers_when_full
        self._deaths = WorkerDeaths(board)

    async def alive(self, request: web.Request) -> web.Response:
        """Return 200 while the event loop runs."""
        return web.json_response({"status": "alive", "calls": len(self._calls)})

    async def ready(self, request: web.Request) -> web.Response:
        """Return 200 while one more call would be taken; 503 when full, shutting down, or without Voice Live.

        Without Voice Live every replica is in the same trouble, and a load balancer that left them all out would keep
        the webhooks from what ``when_full`` says: where it is set, the answer is 200 all the same, and says so.
        """
        now = asyncio.get_running_loop().time()
        pool, lack = self._voice_live.pool, self._voice_live.pool.lack(now)
        status = self.status(lack)
        is_willing = status == "ready" or (
            status == "unreachable" and self._calls.willing and self._answers_when_full()
        )
        body: dict[str, object] = {"status": status, "calls": self._calls.in_use, "limit": self._calls.limit}
        if self._load is not None:
            body |= {"limit": "auto", "busy": round(self._load.busy, 2)}
        body["voice_live"] = "reachable" if lack is None else lack.value
        if lack is not None or len(pool.endpoints) > 1:
            body["endpoints"] = [_shown(one) for one in pool.shown(now)]
        if reductions := self._voice_live.shown_reductions():
            body["session_reduced"] = list(reductions)
        if self._public_legs:
            body["public_sockets"] = list(self._public_legs)
        return web.json_response(body, status=200 if is_willing else 503)

    def status(self, lack: Lack | None) -> str:
        """Return ``ready``, ``draining``, ``full`` or ``unreachable``; ``lack`` is why no session can be opened."""
        if self._calls.willing and lack is None:
            return "ready"
        if self._calls.draining:
            return "draining"
        return "unreachable" if lack is Lack.UNREACHABLE else "full"

    async def metrics(self, request: web.Request) -> web.Response:
        """Return the metrics in the Prometheus text format, version 0.0.4; with several workers, those of all of them.

        Many lines have many series: the text is made in a thread, so that it does not delay any call's audio.
        """
        self._of_endpoints.measure(self._voice_live.pool, asyncio.get_running_loop().time())
        text = (await asyncio.to_thread(_exposition, self._metrics.registry, self._deaths)).decode()
        return web.Response(text=text, content_type="text/plain", charset="utf-8")


def _shown(endpoint: Shown) -> dict[str, object]:
    shown: dict[str, object] = {
        "name": endpoint.name,
        "circuit": endpoint.circuit.value,
        "sessions": endpoint.sessions,
        "sessions_minute": endpoint.in_minute,
    }
    if endpoint.last_failure:
        shown["last_failure"] = endpoint.last_failure
    if endpoint.ready_s is not None:
        shown["ready_ms"] = round(endpoint.ready_s * 1000)
    return shown


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
