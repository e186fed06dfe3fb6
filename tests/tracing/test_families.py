"""Prometheus' families as OpenTelemetry's metrics."""

from opentelemetry.sdk.metrics.export import Gauge, Histogram, Metric, NumberDataPoint, Sum
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Gauge as PrometheusGauge
from prometheus_client import Histogram as PrometheusHistogram

from gateway.call.metrics import Metrics
from gateway.tracing.families import CUMULATIVE, metrics_of

START, NOW = 1_000, 2_000


def read(registry: CollectorRegistry) -> dict[str, Metric]:
    """The metrics of a registry, by name."""
    return {metric.name: metric for metric in metrics_of(registry.collect(), START, NOW)}


def test_a_counter_is_a_sum_from_the_start_of_the_process() -> None:
    """Under the name that Prometheus makes its own of, with its labels."""
    registry = CollectorRegistry()
    counter = PrometheusCounter("gateway_calls_started", "Calls begun.", ["line"], registry=registry)
    counter.labels("support").inc(3)
    metric = read(registry)["gateway_calls_started"]
    assert (metric.description, metric.unit) == ("Calls begun.", "")
    assert metric.data == Sum([NumberDataPoint({"line": "support"}, START, NOW, 3.0)], CUMULATIVE, is_monotonic=True)


def test_a_gauge_is_a_gauge() -> None:
    """Its value is what it is now."""
    registry = CollectorRegistry()
    PrometheusGauge("gateway_calls", "Calls in progress.", registry=registry).set(7)
    assert read(registry)["gateway_calls"].data == Gauge([NumberDataPoint({}, START, NOW, 7.0)])


def test_a_histogram_has_each_bucket_by_itself() -> None:
    """Prometheus counts what is below as well; the sum and the count are the same."""
    registry = CollectorRegistry()
    histogram = PrometheusHistogram(
        "gateway_turn_latency_seconds", "Latency.", ["line"], buckets=(0.5, 1.0), registry=registry
    )
    for value in (0.1, 0.2, 0.7, 5.0, 6.0, 7.0):
        histogram.labels("support").observe(value)
    histogram.labels("sales").observe(0.7)
    metric = read(registry)["gateway_turn_latency_seconds"]
    assert metric.unit == "s"
    assert isinstance(metric.data, Histogram)
    points = {str(point.attributes and point.attributes["line"]): point for point in metric.data.data_points}
    support = points["support"]
    assert support.explicit_bounds == [0.5, 1.0]
    assert support.bucket_counts == [2, 1, 3]
    assert (support.count, round(support.sum, 3)) == (6, 19.0)
    assert points["sales"].bucket_counts == [0, 1, 0]


def test_all_metrics_of_the_gateway_are_among_them() -> None:
    """Every family that Prometheus fetches, but those without a series yet."""
    metrics = Metrics(["twilio"])
    families = {family.name for family in metrics.registry.collect() if family.samples}
    assert families
    assert set(read(metrics.registry)) == families
