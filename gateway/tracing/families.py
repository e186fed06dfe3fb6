"""Turns the families of the Prometheus registry into OpenTelemetry's metrics, under the same names and labels.

All sums count from the start of the process. Nothing is counted twice: the registry stays the only one who counts.
"""

from collections.abc import Iterable, Iterator
from math import inf

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from prometheus_client import Metric as Family
from prometheus_client.samples import Sample

CUMULATIVE = AggregationTemporality.CUMULATIVE
UNITS = {"_seconds": "s", "_bytes": "By"}


def metrics_of(families: Iterable[Family], start_ns: int, now_ns: int) -> Iterator[Metric]:
    """Return the metrics of the families that have samples; times are Unix time in nanoseconds."""
    for family in families:
        if not family.samples:
            continue
        unit = next((unit for suffix, unit in UNITS.items() if family.name.endswith(suffix)), "")
        data: Sum | Gauge | Histogram
        match family.type:
            case "counter":
                totals = [sample for sample in family.samples if sample.name.endswith("_total")]
                data = Sum(_numbers(totals, start_ns, now_ns), CUMULATIVE, is_monotonic=True)
            case "histogram":
                data = Histogram(list(_histograms(family.samples, start_ns, now_ns)), CUMULATIVE)
            case _:
                data = Gauge(_numbers(family.samples, start_ns, now_ns))
        yield Metric(family.name, family.documentation, unit, data)


def _numbers(samples: Iterable[Sample], start_ns: int, now_ns: int) -> list[NumberDataPoint]:
    return [NumberDataPoint(dict(sample.labels), start_ns, now_ns, sample.value) for sample in samples]


def _histograms(samples: Iterable[Sample], start_ns: int, now_ns: int) -> Iterator[HistogramDataPoint]:
    """Return a point for each series: its buckets by their own counts, where Prometheus adds those below."""
    series: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        series.setdefault(labels, []).append(sample)
    for labels, found in series.items():
        below = sorted((float(one.labels["le"]), one.value) for one in found if "le" in one.labels)
        counts = [value - before for (_, value), before in zip(below, [0.0, *(v for _, v in below)], strict=False)]
        total = next((one.value for one in found if one.name.endswith("_sum")), 0.0)
        yield HistogramDataPoint(
            dict(labels),
            start_ns,
            now_ns,
            count=int(below[-1][1]) if below else 0,
            sum=total,
            bucket_counts=[int(count) for count in counts],
            explicit_bounds=[bound for bound, _ in below if bound != inf],
            min=None,  # type: ignore[arg-type]  # optional in OTLP, and not known to Prometheus
            max=None,  # type: ignore[arg-type]  # likewise
        )
