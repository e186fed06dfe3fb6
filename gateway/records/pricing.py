"""The cost of a call, by a table of prices: exact decimals, and no cost where a price is missing. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from math import ceil

from msgspec.structs import replace

from gateway.config.records.prices import ModelPrices, Prices, ProviderPrices
from gateway.records.rows import CallRow, UsageRow

NANOS = Decimal(1_000_000_000)
_MILLION = Decimal(1_000_000)
_DIGITS = 60
"""More than a sum of prices can have: nothing is rounded before the end."""
_DEPLOYED = re.compile(r"(-global-standard|-[0-9]{4}-[0-9]{2}-[0-9]{2})+$")
"""The type of deployment and the version, which the service puts behind a model's name; the price is the same."""
_VOICES = {
    "azure-standard": "_azure",
    "azure-platform": "_azure",
    "azure-custom": "_custom",
    "azure-personal": "_custom",
}
"""The end of the price's name for voices of Azure Speech; every other voice is the model's own."""


class Pricing:
    """Says what calls have cost. A price is looked up in ``tables`` in their order; all have one currency.

    ``kinds`` are the providers of the accounts, by the names of the accounts.
    """

    def __init__(self, tables: Sequence[Prices], kinds: Mapping[str, str] | None = None) -> None:
        self._tables = tables
        self._kinds = kinds or {}
        self.currency = tables[0].currency
        """The currency of every cost."""

    def __call__(self, call: CallRow, usage: Sequence[UsageRow]) -> CallRow:
        """Return the call with its cost so far.

        It is the cost of the tokens and of the minutes. Without a price for the minutes it is that of the tokens alone;
        with a token that has no price it is unknown. ``cost_note`` says what is missing.
        """
        with localcontext() as context:
            context.prec = _DIGITS
            tokens, missing = self._tokens(usage)
            minutes, unpriced = self._minutes(call, usage)
            known = [part for part in (tokens, minutes) if part is not None]
            is_known = not missing and (bool(usage) or minutes is not None)
            nanos = _nanos(sum(known, Decimal())) if is_known else None
        return replace(call, cost_nanos=nanos, currency=self.currency, cost_note="; ".join([*missing, *unpriced]))

    def _tokens(self, usage: Sequence[UsageRow]) -> tuple[Decimal, list[str]]:
        """Return the cost of the tokens, and what has no price, each once."""
        total, missing = Decimal(), dict[str, None]()
        for row in usage:
            prices = self._model(row.model)
            if prices is None:
                missing[f"no price for the model {row.model or 'that the service did not name'}"] = None
                continue
            for name, count in _counts(row):
                price: Decimal | None = getattr(prices, name)
                if price is not None:
                    total += price * count
                elif count:
                    missing[f"no price {name} for {row.model}"] = None
        return total / _MILLION, list(missing)

    def _minutes(self, call: CallRow, usage: Sequence[UsageRow]) -> tuple[Decimal | None, list[str]]:
        """Return the cost of the minutes, ``None`` without a price."""
        prices = self._provider(call.provider)
        if prices is None:
            return None, [f"no price for the minutes of {call.provider}"]
        lasted_s = (
            call.duration_s if call.duration_s is not None else max((row.at_ms for row in usage), default=0) / 1000
        )
        if prices.billed == "minute":
            return prices.per_minute * ceil(lasted_s / 60), []
        return prices.per_minute * ceil(lasted_s) / 60, []

    def _model(self, model: str) -> ModelPrices | None:
        names = (model, _DEPLOYED.sub("", model))
        return next((table.models[name] for table in self._tables for name in names if name in table.models), None)

    def _provider(self, account: str) -> ProviderPrices | None:
        names = (account, self._kinds.get(account, account))
        found = (table.providers[name] for table in self._tables for name in names if name in table.providers)
        return next(found, None)


def _counts(row: UsageRow) -> Iterator[tuple[str, int]]:
    """Count the tokens by the name of their price."""
    for kind in ("text", "audio", "image"):
        cached: int = getattr(row, f"cached_{kind}")
        yield f"input_{kind}", max(getattr(row, f"input_{kind}") - cached, 0)
        yield f"cached_{kind}", cached
    yield "output_text", row.output_text
    yield f"output_audio{_VOICES.get(row.voice, '')}", row.output_audio


def _nanos(cost: Decimal) -> int:
    return int((cost * NANOS).to_integral_value(ROUND_HALF_EVEN))


def money(nanos: int, currency: str) -> str:
    """Write a cost for people, to a hundredth of a cent: ``0.0123 USD``. What is less than that is not shown as 0."""
    cost = Decimal(nanos) / NANOS
    shown = cost.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    return f"{shown:f} {currency}" if shown or not nanos else f"<0.0001 {currency}"


def decimal_text(nanos: int) -> str:
    """Write a cost exactly, for programs: ``0.012345678``."""
    return f"{(Decimal(nanos) / NANOS).normalize():f}"
