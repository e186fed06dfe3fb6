"""Metrics over OTLP: when they are sent, and what happens where they are not taken."""

from typing import Any

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Gauge
from structlog.testing import capture_logs

from gateway.tracing.delivery import LastWords, Told
from gateway.tracing.metrics_export import MetricsExport


class Exporter(MetricExporter):
    """Keeps what it gets."""

    def __init__(self, result: MetricExportResult) -> None:
        super().__init__()
        self.result = result
        self.sent: list[MetricsData] = []
        self.is_shut_down = False

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Keep a request."""
        self.sent.append(metrics_data)
        return self.result

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Note it."""
        self.is_shut_down = True

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Do nothing."""
        return True


async def test_the_last_state_is_sent_at_the_end() -> None:
    """Also before the first interval is over."""
    registry = CollectorRegistry()
    gauge = Gauge("gateway_calls", "Calls in progress.", registry=registry)
    exporter = Exporter(MetricExportResult.SUCCESS)
    export = MetricsExport(registry, Resource({}), 3600.0, Told("metrics", LastWords()), lambda: None, exporter)
    export.begin()
    gauge.set(5)
    export.stop()
    export.end()
    (sent,) = exporter.sent
    (metric,) = sent.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.data.data_points[0].value) == ("gateway_calls", 5.0)  # type: ignore[union-attr]
    assert exporter.is_shut_down


async def test_a_collector_that_does_not_take_them_is_told() -> None:
    """By its name."""
    exporter = Exporter(MetricExportResult.FAILURE)
    told = Told("metrics", LastWords())
    export = MetricsExport(CollectorRegistry(), Resource({}), 3600.0, told, lambda: None, exporter)
    with capture_logs() as logs:
        export.begin()
        export.stop()
        export.end()
    assert [(entry["event"], entry["signal"]) for entry in logs] == [("telemetry_not_delivered", "metrics")]
    export.break_off()
