"""Delivers spans to the collector: bounded, counted, and told in the log once where it fails."""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry, Counter

log = structlog.get_logger()

LIBRARY = "opentelemetry"
"""The logger of the SDK and its exporters, which log every batch."""


class Losses:
    """Counts on ``registry`` what did not reach the collector."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = Counter(
            "gateway_spans_lost", "Spans of traces that did not reach the collector.", ["why"], registry=registry
        )
        self.full = counter.labels("full")
        """Spans for which there was no room while the collector was slow or away."""
        self.failed = counter.labels("failed")
        """Spans that the collector did not take."""


class Told:
    """Tells in the log that what ``signal`` names is not delivered, and that it is again: once for each change."""

    def __init__(self, signal: str, words: "LastWords") -> None:
        self._signal = signal
        self._words = words
        self._is_down = False

    def delivered(self) -> None:
        """Note that the collector has taken something."""
        if self._is_down:
            self._is_down = False
            log.info("telemetry_delivered", signal=self._signal)

    def failed(self) -> None:
        """Note that the collector has not taken something."""
        if not self._is_down:
            self._is_down = True
            log.warning("telemetry_not_delivered", signal=self._signal, detail=self._words.last)


class LastWords(logging.Handler):
    """Takes the log lines of OpenTelemetry's library, and keeps the last. Use as a context manager."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def __enter__(self) -> "LastWords":
        logger = logging.getLogger(LIBRARY)
        logger.addHandler(self)
        logger.propagate = False
        return self

    def __exit__(self, *exc_info: object) -> None:
        logger = logging.getLogger(LIBRARY)
        logger.removeHandler(self)
        logger.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message of a record."""
        self.last = record.getMessage()


class WatchedExporter(SpanExporter):
    """Passes spans on to ``exporter``, in the processor's thread; counts and tells what it did not take."""

    def __init__(self, exporter: SpanExporter, losses: Losses, told: Told) -> None:
        self._exporter = exporter
        self._losses = losses
        self._told = told
        self._is_shut_down = False
        self.taken = 0
        """Spans that were taken from the queue."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        self.taken += len(spans)
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is SpanExportResult.SUCCESS:
                self._told.delivered()
            else:
                self._losses.failed.inc(len(spans))
                self._told.failed()
        return result

    def shutdown(self) -> None:
        """Stop, tries that are under way included; once."""
        if not self._is_shut_down:
            self._is_shut_down = True
            self._exporter.shutdown()


class BoundedProcessor(SpanProcessor):
    """Passes ended spans on to ``queue`` while it holds fewer than ``limit``; others are counted and dropped.

    The library's own queue drops the oldest in that case, and does not say how many.
    """

    def __init__(self, queue: SpanProcessor, exporter: WatchedExporter, losses: Losses, limit: int) -> None:
        self._queue = queue
        self._exporter = exporter
        self._losses = losses
        self._limit = limit
        self._passed = 0

    @property
    def waiting(self) -> int:
        """The number of spans that wait to be sent."""
        return self._passed - self._exporter.taken

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing: a span is passed on when it has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Pass an ended span on."""
        if self.waiting >= self._limit:
            self._losses.full.inc()
            return
        self._passed += 1
        self._queue.on_end(span)

    def shutdown(self) -> None:
        """Send what waits, and stop."""
        self._queue.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._queue.force_flush(timeout_millis)
