"""The Prometheus metrics of recordings."""

from prometheus_client import CollectorRegistry, Counter

OUTCOMES = ("whole", "incomplete", "failed", "discarded")


class RecordingMetrics:
    """Counts on ``registry``; both counters may be used in any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter("gateway_recordings", "Recordings that have ended.", ["outcome"], registry=registry)
        for outcome in OUTCOMES:
            self.ended.labels(outcome)
        self.lost_seconds = Counter(
            "gateway_recording_lost_seconds",
            "Length of what recordings lack, because it could not be written.",
            registry=registry,
        )
