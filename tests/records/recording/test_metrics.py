from prometheus_client import CollectorRegistry

from gateway.records.recording.metrics import OUTCOMES, RecordingMetrics


def test_every_outcome_is_there_from_the_start() -> None:
    """A rate sees nothing of a series that comes with its first event."""
    registry = CollectorRegistry()
    RecordingMetrics(registry)
    assert [registry.get_sample_value("gateway_recordings_total", {"outcome": one}) for one in OUTCOMES] == [0.0] * 4
    assert registry.get_sample_value("gateway_recording_lost_seconds_total") == 0.0
