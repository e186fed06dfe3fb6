"""The way of spans to the collector: bounded, counted, told once."""

import logging
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.tracing.delivery import LIBRARY, BoundedProcessor, LastWords, Losses, Told, WatchedExporter


class Exporter(SpanExporter):
    """Takes spans, or does not."""

    def __init__(self) -> None:
        self.result = SpanExportResult.SUCCESS
        self.error: Exception | None = None
        self.is_shut_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Return what it is to."""
        if self.error is not None:
            raise self.error
        if self.result is SpanExportResult.FAILURE:
            logging.getLogger(f"{LIBRARY}.exporter").error("Failed to export %s: %s", "spans", "refused")
        return self.result

    def shutdown(self) -> None:
        """Note it."""
        self.is_shut_down = True


class Queue(SpanProcessor):
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self.spans.append(span)


def lost(registry: CollectorRegistry, why: str) -> float | None:
    """The spans that were lost."""
    return registry.get_sample_value("gateway_spans_lost_total", {"why": why})


def test_a_collector_that_is_down_is_told_once() -> None:
    """Not for every batch; and once more when it takes something again. Each span that it did not take is counted."""
    registry, inner = CollectorRegistry(), Exporter()
    with LastWords() as words, capture_logs() as logs:
        exporter = WatchedExporter(inner, Losses(registry), Told("traces", words))
        assert lost(registry, "failed") == 0
        for result in (SpanExportResult.FAILURE, SpanExportResult.FAILURE, SpanExportResult.SUCCESS):
            inner.result = result
            assert exporter.export([ReadableSpan("call")] * 2) is result
        exporter.export([ReadableSpan("call")])
        inner.result = SpanExportResult.FAILURE
        exporter.export([ReadableSpan("call")])
    assert [(entry["event"], entry["log_level"], entry["signal"]) for entry in logs] == [
        ("telemetry_not_delivered", "warning", "traces"),
        ("telemetry_delivered", "info", "traces"),
        ("telemetry_not_delivered", "warning", "traces"),
    ]
    assert logs[0]["detail"] == "Failed to export spans: refused"
    assert lost(registry, "failed") == 5
    assert exporter.taken == 8


def test_an_exporter_that_raises_has_not_delivered() -> None:
    """The library goes on; the spans are counted."""
    registry, inner = CollectorRegistry(), Exporter()
    inner.error = OSError("no room")
    with LastWords() as words, capture_logs() as logs:
        exporter = WatchedExporter(inner, Losses(registry), Told("traces", words))
        with pytest.raises(OSError, match="no room"):  # the library logs it, and goes on
            exporter.export([ReadableSpan("call")])
    assert lost(registry, "failed") == 1
    assert [entry["event"] for entry in logs] == ["telemetry_not_delivered"]
    exporter.shutdown()
    assert inner.is_shut_down


def test_the_library_does_not_log_by_itself() -> None:
    """Its lines come at each batch; the last one is the detail of ours. Afterwards it logs as before."""
    logger = logging.getLogger(LIBRARY)
    with LastWords() as words:
        assert not logging.getLogger(LIBRARY).propagate
        logging.getLogger(f"{LIBRARY}.sdk").warning("Queue full, dropping %s.", "Span")
        assert words.last == "Queue full, dropping Span."
    assert logger.propagate
    assert words not in logger.handlers


def test_a_queue_that_is_full_drops_and_counts() -> None:
    """What waits is bounded; once something was taken, there is room again."""
    registry, queue = CollectorRegistry(), Queue()
    losses = Losses(registry)
    exporter = WatchedExporter(Exporter(), losses, Told("traces", LastWords()))
    processor = BoundedProcessor(queue, exporter, losses, 2)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("test")
    for number in range(5):
        tracer.start_span(f"span {number}").end()
    assert [span.name for span in queue.spans] == ["span 0", "span 1"]
    assert (lost(registry, "full"), processor.waiting) == (3, 2)
    exporter.export(queue.spans)
    assert processor.waiting == 0
    tracer.start_span("span 5").end()
    assert [span.name for span in queue.spans] == ["span 0", "span 1", "span 5"]
    assert lost(registry, "full") == 3
    assert processor.force_flush()
    processor.shutdown()
