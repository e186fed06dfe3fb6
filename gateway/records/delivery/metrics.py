"""The Prometheus metrics of deliveries. A receiver is labelled by its name."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.records.delivery.outbox import Waiting

OUTCOMES = ("delivered", "failed", "dead")


class DeliveryMetrics:
    """Counts tries on ``registry``, and shows the state of the outbox, which all processes have in common."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tries = Counter(
            "gateway_deliveries", "Tries to deliver an event, by outcome.", ["target", "outcome"], registry=registry
        )
        self._pending = Gauge(
            "gateway_deliveries_pending",
            "Events that are not delivered yet.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._oldest = Gauge(
            "gateway_deliveries_oldest_seconds",
            "Age of the oldest of them; 0 without any.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._dead = Gauge(
            "gateway_deliveries_dead",
            "Events that were given up and are not delivered since.",
            multiprocess_mode="livemax",
            registry=registry,
        )

    def know(self, target: str) -> None:
        """Begin the counts of a receiver at 0."""
        for outcome in OUTCOMES:
            self._tries.labels(target, outcome)

    def tried(self, target: str, outcome: str, count: int = 1) -> None:
        """Count tries of one outcome."""
        self._tries.labels(target, outcome).inc(count)

    def waiting(self, state: Waiting, now: datetime) -> None:
        """Show the state of the outbox."""
        self._pending.set(state.pending)
        self._dead.set(state.dead)
        self._oldest.set(max(0.0, (now - state.oldest).total_seconds()) if state.oldest else 0)
