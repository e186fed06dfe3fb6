"""``prices``: what tokens and minutes cost, and the list prices that are part of the gateway."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from gateway.config.reading.document import read_document
from gateway.config.reading.environment import bare
from gateway.config.reading.problems import ConfigErrors
from gateway.config.reading.scalars import WrittenFloat, WrittenInt
from gateway.config.reading.section import Section, Switch, Text
from gateway.config.reading.validation import validate
from gateway.config.urls import pattern_of

LIST_PRICES = Path(__file__).with_name("list_prices.yaml")
"""List prices, with their dates and sources."""

_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")
_CURRENCY = r"[A-Z]{3}"
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"


def _price(value: Any) -> Decimal:
    """Return a price exactly as it is written."""
    text = value.text if isinstance(value, WrittenInt | WrittenFloat) else str(value)
    if isinstance(value, bool) or not _PRICE.fullmatch(bare(text).strip()):
        raise ValueError("is not a price, expected such as 0.40")
    return Decimal(bare(text).strip())


def _currency(text: str) -> str:
    if not re.fullmatch(_CURRENCY, text):
        raise ValueError("is not a currency, expected three letters such as USD")
    return text


def _date(text: str) -> str:
    if not re.fullmatch(_DATE, text):
        raise ValueError("is not a date, expected such as 2026-08-11")
    return text


Price = Annotated[
    Decimal, BeforeValidator(_price, json_schema_input_type=float), Field(json_schema_extra={"minimum": 0})
]
"""A price, not rounded."""
Date = Annotated[Text, AfterValidator(_date), pattern_of(f"^{_DATE}$")]


class ModelPrices(Section):
    """The prices of a model's tokens, for a million of each kind. A kind without a price makes a cost unknown."""

    input_text: Price | None = None
    """Text that the model reads: instructions, the conversation so far."""
    cached_text: Price | None = None
    """The same, where the service had it in its cache."""
    output_text: Price | None = None
    """Text that the model writes."""
    input_audio: Price | None = None
    """The caller's audio."""
    cached_audio: Price | None = None
    """The same, from the cache."""
    output_audio: Price | None = None
    """Audio in a voice of the model's own."""
    output_audio_azure: Price | None = None
    """Audio in a standard voice of Azure Speech."""
    output_audio_custom: Price | None = None
    """Audio in a custom or personal voice of Azure Speech."""
    input_image: Price | None = None
    """Pictures that the model reads."""
    cached_image: Price | None = None
    """The same, from the cache."""


class ProviderPrices(Section):
    """The price of a provider's minutes."""

    per_minute: Price
    """The price of a minute of a call, with the media stream."""
    billed: Literal["minute", "second"] = "minute"
    """minute: each minute that has begun is paid in full; second: each second."""


class Prices(Section):
    """The prices of tokens and minutes; what a call has cost stands in its record."""

    currency: Annotated[Text, AfterValidator(_currency), pattern_of(f"^{_CURRENCY}$")] = "USD"
    """The currency of all prices here."""
    date: Date | None = None
    """The day on which these prices were valid, in quotes."""
    note: Text | None = None
    """A remark that is shown with the costs."""
    list_prices: Switch = True
    """Take the list prices that are part of the gateway for models that are not here, if the currency is theirs."""
    models: Mapping[str, ModelPrices] = {}
    """The prices of models, by the names that Voice Live gives them."""
    providers: Mapping[str, ProviderPrices] = {}
    """The prices of providers or accounts, by their names under providers."""


AnyPrices = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Prices, Tag("other")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "other"),
]
"""The section, or the path of a file with the same keys."""


def read_prices(file: Path, environ: Mapping[str, str]) -> Prices:
    """Return the prices of a file. Raises ``ConfigErrors`` with every mistake in it."""
    document = read_document(file, environ)
    prices = validate(Prices, document)
    if prices is None or document.errors:
        raise ConfigErrors(document.errors)
    return prices


def tables_of(settings: AnyPrices, folder: Path, environ: Mapping[str, str]) -> tuple[Prices, ...]:
    """Return the tables in which a price is looked up, the operator's own first.

    ``folder`` is where a relative path begins. Raises ``ConfigErrors`` for a file that cannot be used.
    """
    own = read_prices(folder / settings, environ) if isinstance(settings, str) else settings
    listed = read_prices(LIST_PRICES, {})
    takes_listed = own.list_prices and own.currency == listed.currency
    return (own, listed) if takes_listed else (own,)
