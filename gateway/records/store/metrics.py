"""The Prometheus metrics of the records."""

from prometheus_client import CollectorRegistry, Counter, Gauge

LOSSES = ("queue", "spool", "refused")
"""Reasons for which something is lost: the queue was full, the spool was full or could not be written, the database
refused a row."""


class RecordMetrics:
    """Counts on ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "gateway_records_up",
            "1 while the database of the records takes rows, 0 while they wait.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.waiting = Gauge(
            "gateway_records_waiting",
            "Rows in memory that are not written yet.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.written = Counter("gateway_records_written", "Rows that were written.", registry=registry)
        self.spooled = Counter("gateway_records_spooled", "Rows put into a file for later.", registry=registry)
        self._lost = Counter("gateway_records_lost", "Events and rows that were lost.", ["reason"], registry=registry)
        self.interrupted = Counter(
            "gateway_records_interrupted", "Calls whose process had died, marked as interrupted.", registry=registry
        )
        for reason in LOSSES:
            self._lost.labels(reason)

    def lost(self, reason: str, count: int) -> None:
        """Count what was lost."""
        self._lost.labels(reason).inc(count)
