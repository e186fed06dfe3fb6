"""The counts of what the negotiation finds."""

from gateway.call.metrics import Metrics
from gateway.voice.negotiation.watch import Unwatched, Watch


def test_the_metrics_watch() -> None:
    """Each count is a series of the process; without metrics there is none."""
    metrics = Metrics()
    watches: tuple[Watch, ...] = (metrics, Unwatched())
    for watch in watches:
        watch.session_reduced("metadata")
        watch.session_differs("voice")
        watch.service_error("x")
    value = metrics.registry.get_sample_value
    assert value("gateway_session_reduced_total", {"member": "metadata"}) == 1
    assert value("gateway_session_differs_total", {"member": "voice"}) == 1
    assert value("gateway_service_errors_total", {"code": "other"}) == 1
