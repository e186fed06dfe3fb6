"""The metrics of endpoints."""

import asyncio

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.voice.endpoints.circuit import Failure
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.metrics import EndpointMetrics
from tests.virtual_time import virtual_time
from tests.voice.endpoints.pools import At, pooled


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """A sample."""
    return registry.get_sample_value(f"gateway_voice_{name}", labels)


def test_every_series_exists_from_the_start() -> None:
    """At 0, for each endpoint and kind of failure."""
    registry = CollectorRegistry()
    EndpointMetrics(registry, ["west"])
    assert value(registry, "endpoint_connections_total", endpoint="west") == 0
    for failure in Failure:
        assert value(registry, "endpoint_failures_total", endpoint="west", kind=failure.value) == 0


@virtual_time
async def test_what_endpoints_do_is_counted_and_the_gauges_are_measured() -> None:
    """Voice Live is up while one of them is."""
    registry = CollectorRegistry()
    metrics = EndpointMetrics(registry, ["west", "east"])
    held = pooled((Endpoint("west"), At("west")), (Endpoint("east", priority=2), At("east")))
    metrics.session_begun("west")
    metrics.session_opened("west", 0.25)
    metrics.attempt_failed("west", "quota")
    now = asyncio.get_running_loop().time()
    held.pool.note_failed("west", Failure.QUOTA, now)
    metrics.measure(held.pool, now)
    assert value(registry, "endpoint_connections_total", endpoint="west") == 1
    assert value(registry, "endpoint_ready_seconds_sum", endpoint="west") == 0.25
    assert value(registry, "endpoint_failures_total", endpoint="west", kind="quota") == 1
    assert [value(registry, "endpoint_up", endpoint=name) for name in ("west", "east")] == [0, 1]
    assert value(registry, "live_up") == 1
    held.pool.note_failed("east", Failure.QUOTA, now)
    metrics.measure(held.pool, now)
    assert value(registry, "live_up") == 0
    assert value(registry, "endpoint_sessions", endpoint="west") == 0
    assert value(registry, "endpoint_sessions_minute", endpoint="west") == 0


def test_changes_of_circuits_are_logged() -> None:
    """With the reason and the time."""
    metrics = EndpointMetrics(CollectorRegistry(), ["west"])
    with capture_logs() as logs:
        metrics.circuit_opened("west", "quota", 5.04)
        metrics.circuit_closed("west")
    assert logs == [
        {
            "event": "endpoint_circuit_opened",
            "log_level": "warning",
            "endpoint": "west",
            "reason": "quota",
            "open_s": 5.0,
        },
        {"event": "endpoint_circuit_closed", "log_level": "info", "endpoint": "west"},
    ]
