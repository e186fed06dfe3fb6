"""Exports the metrics of this process over OTLP, at an interval and once more at the end."""

import asyncio
import threading
import time
from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry

from gateway.tracing.delivery import Told
from gateway.tracing.families import metrics_of
from gateway.tracing.resource import NAME


class MetricsExport:
    """Collects and sends in a thread of its own, so that no call waits for a collector.

    ``refresh`` is called in the event loop before each collection.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        resource: Resource,
        interval_s: float,
        told: Told,
        refresh: Callable[[], None],
        exporter: MetricExporter | None = None,
    ) -> None:
        self._registry = registry
        self._resource = resource
        self._interval_s = interval_s
        self._told = told
        self._refresh = refresh
        self._exporter = exporter or OTLPMetricExporter()
        self._start_ns = time.time_ns()
        self._due = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="metrics-export", daemon=True)
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Send at the interval from now on."""
        self._thread.start()
        self._wait()

    def end(self) -> None:
        """Send once more, and wait until that is done. Called in another thread, once the event loop has stopped it."""
        self._is_over = True
        self._due.set()
        self._thread.join()
        self._exporter.shutdown()

    def stop(self) -> None:
        """Send at no interval any more."""
        if self._timer is not None:
            self._timer.cancel()

    def break_off(self) -> None:
        """Let a request that is under way be the last."""
        self._exporter.shutdown()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._again)

    def _again(self) -> None:
        self._refresh()
        self._due.set()
        self._wait()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._due.wait()
            self._due.clear()
            is_last = self._is_over
            self._send()

    def _send(self) -> None:
        """Send what the registry holds now. A collector that is busy is asked again at the next interval."""
        found = list(metrics_of(self._registry.collect(), self._start_ns, time.time_ns()))
        scope = ScopeMetrics(InstrumentationScope(NAME), found, "")
        result = self._exporter.export(MetricsData([ResourceMetrics(self._resource, [scope], "")]))
        if result is MetricExportResult.SUCCESS:
            self._told.delivered()
        else:
            self._told.failed()
