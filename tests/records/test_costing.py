"""What calls have cost, as a metric."""

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from gateway.config import load_deployment
from gateway.records.costing import Costing, pricing_of
from gateway.records.rows import CallRow, UsageRow
from tests.records.kept import rows_of

PRICES = """
providers: {uk: {provider: twilio}}
prices: {providers: {twilio: {per_minute: 0.0125}}}
"""


def test_a_call_is_counted_once_it_is_over(tmp_path: Path) -> None:
    """By line and currency, from 0 on; a call whose cost is not known is counted as such, and adds nothing."""
    (tmp_path / "gateway.yaml").write_text(PRICES, "utf-8")
    registry = CollectorRegistry()
    costing = Costing(pricing_of(load_deployment(tmp_path / "gateway.yaml", {})), registry, ["support", "sales"])

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("gateway_call_cost_total", line="sales", currency="USD") == 0
    seen: list[int | None] = []

    def of_account(call: CallRow, usage: Sequence[UsageRow]) -> CallRow:
        made = costing(replace(call, provider="uk"), usage)
        seen.append(made.cost_nanos)
        return made

    rows_of(priced=of_account)
    tokens = 100 * 4 + 10 * 16 + 40 * 64
    assert seen == [tokens * 1000 + 12_500_000] * 2
    assert (
        value("gateway_call_cost_total", line="support", currency="USD") == (tokens * 1000 + 12_500_000) / 1_000_000_000
    )
    assert value("gateway_call_cost_unknown_total", line="support") == 0


def test_a_call_of_a_model_without_a_price(tmp_path: Path) -> None:
    """It is never counted as nothing."""
    (tmp_path / "gateway.yaml").write_text("prices: {list_prices: false}", "utf-8")
    registry = CollectorRegistry()
    rows_of(priced=Costing(pricing_of(load_deployment(tmp_path / "gateway.yaml", {})), registry))
    assert registry.get_sample_value("gateway_call_cost_unknown_total", {"line": "support"}) == 1
    assert registry.get_sample_value("gateway_call_cost_total", {"line": "support", "currency": "USD"}) is None
