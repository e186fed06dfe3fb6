"""``prices``, in gateway.yaml or a file of its own, and the list prices."""

from decimal import Decimal
from pathlib import Path

import pytest

from gateway.config import load_deployment
from gateway.config.reading.problems import ConfigErrors
from gateway.config.records.prices import LIST_PRICES, ModelPrices, Prices, read_prices
from gateway.errors import InputError


def tables(folder: Path, text: str, **files: str) -> tuple[Prices, ...]:
    """The tables of prices of a configuration with this text."""
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, "utf-8")
    (folder / "gateway.yaml").write_text(text, "utf-8")
    return load_deployment(folder / "gateway.yaml", {"AUDIO": "28.5"}).price_tables


def test_the_list_prices_are_dated_and_say_what_they_are() -> None:
    """With a currency, a note, and a price of each kind for each model, but for voices that are not the model's own."""
    listed = read_prices(LIST_PRICES, {})
    assert (listed.currency, bool(listed.date), bool(listed.note)) == ("USD", True, True)
    assert listed.models
    assert not listed.providers
    for prices in listed.models.values():
        missing = {name for name, price in prices if price is None}
        assert missing == {"output_audio_azure", "output_audio_custom"}


def test_a_price_is_taken_as_it_is_written(tmp_path: Path) -> None:
    """Exactly, also from the environment; 0 is a price."""
    text = "prices: {models: {m: {input_text: 0.1000000003, output_text: 0, input_audio: '${AUDIO}', cached_text: 4}}}"
    own, *_ = tables(tmp_path, text)
    assert own.models["m"] == ModelPrices(
        input_text=Decimal("0.1000000003"), output_text=Decimal(0), input_audio=Decimal("28.5"), cached_text=Decimal(4)
    )


def test_prices_may_stand_in_a_file_beside_gateway_yaml(tmp_path: Path) -> None:
    """With the same keys."""
    own, *_ = tables(tmp_path, "prices: mine.yaml", mine="providers: {twilio: {per_minute: 0.01}}")
    assert own.providers["twilio"].per_minute == Decimal("0.01")
    assert own.providers["twilio"].billed == "minute"


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 2), ("prices: {currency: EUR}", 1), ("prices: {list_prices: false}", 1), ("prices: {currency: USD}", 2)],
)
def test_list_prices_fill_in_where_they_fit(tmp_path: Path, text: str, count: int) -> None:
    """Not in another currency, and not where the operator wants none."""
    assert len(tables(tmp_path, text)) == count


@pytest.mark.parametrize(
    ("prices", "told"),
    [
        ("models: {m: {input_text: cheap}}", "is not a price, expected such as 0.40"),
        ("models: {m: {input_text: -1}}", "is not a price, expected such as 0.40"),
        ("models: {m: {input_text: true}}", "is not a price, expected such as 0.40"),
        ("models: {m: {input_text: 1e3}}", "is not a price, expected such as 0.40"),
        ("models: {m: {output: 1}}", "unknown key"),
        ("providers: {twilio: {billed: second}}", "per_minute: is missing"),
        ("currency: euro", "is not a currency, expected three letters such as USD"),
        ('date: "1.8.2026"', "is not a date, expected such as 2026-08-11"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, prices: str, told: str) -> None:
    """In the file where it stands, at its line, by its key."""
    with pytest.raises(ConfigErrors, match=told) as error:
        tables(tmp_path, "prices: mine.yaml", mine=f"# ours\n{prices}")
    assert "mine.yaml:2:" in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is told by its name."""
    with pytest.raises(InputError, match=r"mine\.yaml"):
        tables(tmp_path, "prices: mine.yaml")
