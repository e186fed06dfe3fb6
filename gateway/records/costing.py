"""Prices the calls of a process, and counts what they have cost."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter

from gateway.config import Deployment
from gateway.config.providers import provider_of
from gateway.records.pricing import NANOS, Pricing
from gateway.records.rows import CallRow, UsageRow


def pricing_of(deployment: Deployment) -> Pricing:
    """Return the prices of a deployment: its own, and the list prices where they fit."""
    accounts = deployment.providers.accounts
    return Pricing(deployment.price_tables, {name: provider_of(name, section) for name, section in accounts.items()})


class Costing:
    """Adds the cost to calls, and counts it once a call is over; ``lines`` are those that are known at the start."""

    def __init__(self, pricing: Pricing, registry: CollectorRegistry, lines: Iterable[str] = ()) -> None:
        self._pricing = pricing
        self._cost = Counter(
            "gateway_call_cost",
            "What calls have cost, as far as prices are known.",
            ["line", "currency"],
            registry=registry,
        )
        self._unknown = Counter(
            "gateway_call_cost_unknown",
            "Calls whose cost is not known for the lack of a price.",
            ["line"],
            registry=registry,
        )
        for line in lines:
            self._cost.labels(line, pricing.currency)
            self._unknown.labels(line)

    def __call__(self, call: CallRow, usage: Sequence[UsageRow]) -> CallRow:
        """Return the call with its cost so far."""
        priced = self._pricing(call, usage)
        if priced.state == "ended":
            if priced.cost_nanos is None:
                self._unknown.labels(call.line).inc()
            else:
                self._cost.labels(call.line, priced.currency).inc(float(priced.cost_nanos / NANOS))
        return priced
