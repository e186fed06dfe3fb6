"""Runs OpenTelemetry's SDK in this process: its provider of spans, its exporters, their end."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import ExitStack

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry

from gateway.errors import InputError
from gateway.tracing.delivery import BoundedProcessor, LastWords, Losses, Told, WatchedExporter
from gateway.tracing.environment import Exports
from gateway.tracing.metrics_export import MetricsExport
from gateway.tracing.resource import NAME, resource_of
from gateway.tracing.traces import Traces

log = structlog.get_logger()

CLOSE_LIMIT_S = 3.0
"""The time at the end of the process for what waits to be sent; a collector that hangs delays it no longer."""


class Telemetry:
    """Exports what ``exports`` names until its block ends. Use as an async context manager.

    ``registry`` holds the metrics, ``refresh`` brings those up to date that are measured when they are read.
    """

    def __init__(
        self,
        exports: Exports,
        registry: CollectorRegistry,
        traces: Traces,
        refresh: Callable[[], None],
    ) -> None:
        self.traces = traces if exports.traces else None
        """Begins the traces of calls; ``None`` where metrics alone are exported."""
        self._exports = exports
        self._registry = registry
        self._refresh = refresh
        self._words = LastWords()
        self._stack = ExitStack()
        self._provider: TracerProvider | None = None
        self._exporter: WatchedExporter | None = None
        self._processor: BoundedProcessor | None = None
        self._metrics: MetricsExport | None = None

    async def __aenter__(self) -> "Telemetry":
        self._stack.enter_context(self._words)
        try:
            self._begin()
        except (ValueError, OSError) as error:  # a setting of the exporter, a certificate that cannot be read
            self._stack.close()
            raise InputError(f"the OTEL_… variables cannot be used: {error}") from None
        return self

    def _begin(self) -> None:
        exports, resource = self._exports, resource_of(self._exports.instance)
        if self.traces is not None:
            losses = Losses(self._registry)
            self._exporter = WatchedExporter(OTLPSpanExporter(), losses, Told("traces", self._words))
            batches = BatchSpanProcessor(
                self._exporter, max_queue_size=exports.queue, max_export_batch_size=exports.batch
            )
            self._processor = BoundedProcessor(batches, self._exporter, losses, exports.queue)
            self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._provider.add_span_processor(self._processor)
            self.traces.tracer = self._provider.get_tracer(NAME)
            if exports.is_global and isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
                trace.set_tracer_provider(self._provider)
        if exports.metrics:
            told = Told("metrics", self._words)
            self._metrics = MetricsExport(self._registry, resource, exports.interval_s, told, self._refresh)
            self._metrics.begin()

    async def __aexit__(self, *exc_info: object) -> None:
        if self._metrics is not None:
            self._metrics.stop()
        try:
            if not await _within(CLOSE_LIMIT_S, self._shut_down):
                waiting = self._processor.waiting if self._processor is not None else 0
                log.warning("telemetry_given_up", limit_s=CLOSE_LIMIT_S, spans=waiting)
                self._break_off()
        finally:
            self._stack.close()

    def _shut_down(self) -> None:
        """Send what waits."""
        if self._metrics is not None:
            self._metrics.end()
        if self._provider is not None:
            self._provider.shutdown()

    def _break_off(self) -> None:
        """Let the threads that still send end soon."""
        if self._exporter is not None:
            self._exporter.shutdown()
        if self._metrics is not None:
            self._metrics.break_off()


async def _within(limit_s: float, work: Callable[[], None]) -> bool:
    """Run ``work`` in a thread that does not keep the process; return ``False`` if it takes longer than ``limit_s``."""
    done = threading.Event()

    def run() -> None:
        try:
            work()
        finally:
            done.set()

    threading.Thread(target=run, name="telemetry-end", daemon=True).start()
    return await asyncio.to_thread(done.wait, limit_s)
