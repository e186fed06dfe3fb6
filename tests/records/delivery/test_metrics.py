"""The metrics of deliveries."""

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from gateway.records.delivery.metrics import DeliveryMetrics
from gateway.records.delivery.outbox import Waiting

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def test_a_known_receiver_begins_at_0() -> None:
    """So that the rate of its first failure is seen."""
    registry = CollectorRegistry()
    metrics = DeliveryMetrics(registry)
    metrics.know("crm")
    metrics.tried("crm", "failed")
    metrics.tried("crm", "dead", 3)
    counts = {
        outcome: registry.get_sample_value("gateway_deliveries_total", {"target": "crm", "outcome": outcome})
        for outcome in ("delivered", "failed", "dead")
    }
    assert counts == {"delivered": 0, "failed": 1, "dead": 3}


def test_the_state_of_the_outbox_is_shown() -> None:
    """With the age of what waits for longest; without any, it is 0."""
    registry = CollectorRegistry()
    metrics = DeliveryMetrics(registry)
    names = [f"gateway_deliveries_{name}" for name in ("pending", "oldest_seconds", "dead")]
    metrics.waiting(Waiting(7, NOW - timedelta(seconds=90), 2), NOW)
    assert [registry.get_sample_value(name) for name in names] == [7, 90, 2]
    metrics.waiting(Waiting(0, None, 0), NOW)
    assert [registry.get_sample_value(name) for name in names] == [0, 0, 0]
