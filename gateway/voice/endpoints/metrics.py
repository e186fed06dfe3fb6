"""The Prometheus metrics and the log events of endpoints: an endpoint is labelled by its name, never by its key."""

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.voice.endpoints.circuit import Circuit, Failure
from gateway.voice.endpoints.pool import Pool

log = structlog.get_logger()

_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class EndpointMetrics:
    """Counts on ``registry`` for the endpoints of ``names``, and logs the changes of circuits."""

    def __init__(self, registry: CollectorRegistry, names: list[str]) -> None:
        label = ["endpoint"]
        self._begun = Counter(
            "gateway_voice_endpoint_connections", "Connections to an endpoint.", label, registry=registry
        )
        self._failures = Counter(
            "gateway_voice_endpoint_failures",
            "Attempts at a session that failed because of the endpoint.",
            [*label, "kind"],
            registry=registry,
        )
        self._ready = Histogram(
            "gateway_voice_endpoint_ready_seconds",
            "From the attempt at an endpoint to the accepted session.",
            label,
            buckets=_BUCKETS,
            registry=registry,
        )
        self._sessions = Gauge(
            "gateway_voice_endpoint_sessions",
            "Sessions at once, those kept for answered calls included, of all workers.",
            label,
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._in_minute = Gauge(
            "gateway_voice_endpoint_sessions_minute",
            "Connections in the last minute, of all workers.",
            label,
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._usable = Gauge(
            "gateway_voice_endpoint_up",
            "1 while the endpoint's circuit is closed or half open, 0 while it is open.",
            label,
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._reachable = Gauge(
            "gateway_voice_live_up",
            "1 while a session can be tried at any endpoint.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        for name in names:
            self._begun.labels(name)
            self._ready.labels(name)
            for failure in Failure:
                self._failures.labels(name, failure.value)

    def measure(self, pool: Pool, now: float) -> None:
        """Set the gauges, before the metrics are read."""
        shown = pool.shown(now)
        for one in shown:
            self._sessions.labels(one.name).set(one.sessions)
            self._in_minute.labels(one.name).set(one.in_minute)
            self._usable.labels(one.name).set(one.circuit is not Circuit.OPEN)
        self._reachable.set(any(one.circuit is not Circuit.OPEN for one in shown))

    def session_begun(self, endpoint: str) -> None:
        """Count a connection that is opened."""
        self._begun.labels(endpoint).inc()

    def session_opened(self, endpoint: str, took_s: float) -> None:
        """Measure the time to an accepted session."""
        self._ready.labels(endpoint).observe(took_s)

    def attempt_failed(self, endpoint: str, kind: str) -> None:
        """Count a failed attempt."""
        self._failures.labels(endpoint, kind).inc()

    def circuit_opened(self, endpoint: str, kind: str, open_s: float) -> None:
        """Log that an endpoint is left alone."""
        log.warning("endpoint_circuit_opened", endpoint=endpoint, reason=kind, open_s=round(open_s, 1))

    def circuit_closed(self, endpoint: str) -> None:
        """Log that an endpoint opens sessions again."""
        log.info("endpoint_circuit_closed", endpoint=endpoint)
