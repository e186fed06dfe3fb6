"""The metrics of what waits for the store of recordings, and of what became of it."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.records.storing.pending import Usage
from gateway.records.storing.taking import OUTCOMES

FAILED = "failed"


class StoringMetrics:
    """The metrics of recordings, on the registry of the process; the workers of a machine share what waits."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.taken = Counter(
            "gateway_recordings_taken",
            "Recordings taken to their store, by outcome; failed is a try that is repeated.",
            ["outcome"],
            registry=registry,
        )
        for outcome in (*OUTCOMES, FAILED):
            self.taken.labels(outcome)
        self.pending = Gauge(
            "gateway_recordings_pending",
            "Recordings that are being written or wait for their store.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.pending_bytes = Gauge(
            "gateway_recordings_pending_bytes",
            "Bytes of the recordings that are being written or wait.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.pending_age = Gauge(
            "gateway_recordings_pending_age_seconds",
            "Seconds since the oldest of the recordings that are being written or wait began.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.deleted = Counter(
            "gateway_recordings_deleted",
            "Recordings deleted from their store, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in ("expired", "forgotten"):
            self.deleted.labels(reason)

    def show(self, usage: Usage, now: datetime) -> None:
        """Show how much waits."""
        self.pending.set(usage.count)
        self.pending_bytes.set(usage.size)
        self.pending_age.set(max(0.0, (now - usage.oldest).total_seconds()) if usage.oldest else 0)
