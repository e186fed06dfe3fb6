"""Metrics of the records."""

from prometheus_client import CollectorRegistry

from gateway.records.store.metrics import LOSSES, RecordMetrics


def test_every_series_exists_from_the_start() -> None:
    """A loss is counted from zero."""
    registry = CollectorRegistry()
    metrics = RecordMetrics(registry)
    counts = [registry.get_sample_value("gateway_records_lost_total", {"reason": reason}) for reason in LOSSES]
    assert counts == [0, 0, 0]
    metrics.lost("spool", 7)
    assert registry.get_sample_value("gateway_records_lost_total", {"reason": "spool"}) == 7
