"""The metrics of what waits for the store."""

from datetime import timedelta

from prometheus_client import CollectorRegistry

from gateway.records.storing.metrics import StoringMetrics
from gateway.records.storing.pending import Usage
from tests.records.storing.test_pending import STARTED


def test_every_outcome_is_there_from_the_start() -> None:
    """At 0."""
    registry = CollectorRegistry()
    StoringMetrics(registry)
    for outcome in ("stored", "lost", "expired", "forgotten", "failed"):
        assert registry.get_sample_value("gateway_recordings_taken_total", {"outcome": outcome}) == 0
    for reason in ("expired", "forgotten"):
        assert registry.get_sample_value("gateway_recordings_deleted_total", {"reason": reason}) == 0


def test_what_waits_is_shown_with_its_age() -> None:
    """Nothing has no age, and a clock that was set back gives none below 0."""
    registry = CollectorRegistry()
    metrics = StoringMetrics(registry)
    for usage, minutes, values in (
        (Usage(3, 1000, STARTED), 1, (3, 1000, 60)),
        (Usage(1, 10, STARTED), -1, (1, 10, 0)),
        (Usage(), 1, (0, 0, 0)),
    ):
        metrics.show(usage, STARTED + timedelta(minutes=minutes))
        names = ("", "_bytes", "_age_seconds")
        assert tuple(registry.get_sample_value(f"gateway_recordings_pending{name}") for name in names) == values
