"""The cost of a call, by hand-made tables."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.config.records.prices import LIST_PRICES, Prices, read_prices
from gateway.records.pricing import Pricing, decimal_text, money
from gateway.records.rows import CallRow, UsageRow

CALL = CallRow(
    call_key="k",
    call_id="CA1",
    provider="twilio-uk",
    line="support",
    started=datetime(2026, 11, 29, 9, 0, tzinfo=UTC),
    duration_s=61.0,
)
MODEL = {
    "input_text": 4,
    "cached_text": "0.4",
    "output_text": 16,
    "input_audio": 32,
    "cached_audio": "0.4",
    "output_audio": 64,
    "output_audio_azure": 30,
}


def pricing(*tables: dict[str, object]) -> Pricing:
    """A pricing by these tables, in which the account twilio-uk is one of twilio."""
    return Pricing([Prices.model_validate(table) for table in tables], {"twilio-uk": "twilio"})


def used(**counts: int | str) -> UsageRow:
    """The tokens of a response."""
    values = {"model": "gpt-realtime", "voice": "openai", **counts}
    return UsageRow(call_key="k", n=0, at_ms=5000, response_id="r", **values)  # type: ignore[arg-type]  # by name


def test_each_kind_has_its_price() -> None:
    """What was in the cache is part of its kind, and cheaper."""
    usage = used(input_text=1000, cached_text=600, input_audio=500, cached_audio=100, output_text=50, output_audio=300)
    told = pricing({"models": {"gpt-realtime": MODEL}, "providers": {"twilio": {"per_minute": "0.0085"}}})(
        CALL, [usage]
    )
    tokens = (400 * 4 + 600 * Decimal("0.4") + 400 * 32 + 100 * Decimal("0.4") + 50 * 16 + 300 * 64) / Decimal(1000000)
    assert told.cost_nanos == int((tokens + 2 * Decimal("0.0085")) * 1_000_000_000)
    assert (told.currency, told.cost_note) == ("USD", "")


def test_the_sum_is_exact() -> None:
    """A tenth of a dollar, ten thousand times, is a thousand dollars; a float would miss it."""
    told = pricing({"models": {"gpt-realtime": {**MODEL, "input_text": "0.1"}}})(
        CALL, [used(input_text=1_000_000) for _ in range(10_000)]
    )
    assert told.cost_nanos == 1_000 * 1_000_000_000


@pytest.mark.parametrize(("voice", "nanos"), [("openai", 64_000), ("", 64_000), ("azure-standard", 30_000)])
def test_the_voice_decides_what_audio_costs(voice: str, nanos: int) -> None:
    """A voice of Azure Speech has a price of its own."""
    told = pricing({"models": {"gpt-realtime": MODEL}})(CALL, [used(output_audio=1, voice=voice)])
    assert told.cost_nanos == nanos


def test_a_kind_without_a_price_makes_the_cost_unknown() -> None:
    """With a word for it; but a kind that was not used needs none."""
    of_list = pricing({"models": {"gpt-realtime": MODEL}})
    unknown = of_list(CALL, [used(input_text=9), used(output_audio=1, voice="azure-custom")])
    assert unknown.cost_nanos is None
    assert unknown.cost_note.startswith("no price output_audio_custom for gpt-realtime")
    assert of_list(CALL, [used(input_text=9, voice="azure-custom")]).cost_nanos == 36_000


def test_a_model_without_prices_makes_the_cost_unknown() -> None:
    """Never nothing, whatever the other responses cost."""
    told = pricing({"models": {"gpt-realtime": MODEL}})(CALL, [used(input_text=9), used(model="gpt-9", input_text=1)])
    assert told.cost_nanos is None
    assert told.cost_note == "no price for the model gpt-9; no price for the minutes of twilio-uk"


def test_minutes_without_a_price_are_left_out_and_told() -> None:
    """A call that has neither tokens nor priced minutes has no cost that is known."""
    of_list = pricing({"models": {"gpt-realtime": MODEL}})
    told = of_list(CALL, [used(input_text=1)])
    assert (told.cost_nanos, told.cost_note) == (4_000, "no price for the minutes of twilio-uk")
    assert of_list(CALL, []).cost_nanos is None


@pytest.mark.parametrize(
    ("billed", "lasted_s", "cents"),
    [("minute", 61.0, 12), ("minute", 60.0, 6), ("second", 60.1, 6.1), ("minute", 0, 0)],
)
def test_minutes_are_billed_as_the_provider_does(billed: str, lasted_s: float, cents: float) -> None:
    """Each minute that has begun, or each second."""
    table: dict[str, object] = {"providers": {"twilio-uk": {"per_minute": "0.06", "billed": billed}}}
    call = CallRow(call_key="k", call_id="c", provider="twilio-uk", line="l", started=CALL.started, duration_s=lasted_s)
    assert pricing(table)(call, []).cost_nanos == round(cents * 10_000_000)


def test_a_call_that_goes_on_has_the_minutes_up_to_its_last_response() -> None:
    """So that a call that was cut off has a cost."""
    call = CallRow(call_key="k", call_id="c", provider="twilio", line="l", started=CALL.started)
    table: dict[str, object] = {"models": {"gpt-realtime": MODEL}, "providers": {"twilio": {"per_minute": "0.06"}}}
    assert pricing(table)(call, [used(input_text=1)]).cost_nanos == 60_000_000 + 4_000


@pytest.mark.parametrize("model", ["gpt-realtime-global-standard", "gpt-realtime-2025-08-28", "gpt-realtime"])
def test_the_service_s_name_of_a_model_is_recognised(model: str) -> None:
    """With the type of its deployment and its version, but not in a data zone, which costs more."""
    assert pricing({"models": {"gpt-realtime": MODEL}})(CALL, [used(model=model, input_text=1)]).cost_nanos == 4_000
    dearer = pricing({"models": {"gpt-realtime": MODEL}})(CALL, [used(model="gpt-realtime-datazone", input_text=1)])
    assert dearer.cost_nanos is None


def test_the_operator_s_price_comes_before_that_of_the_list() -> None:
    """Model by model; an account's before its provider's."""
    mine: dict[str, object] = {
        "models": {"gpt-realtime": {"input_text": 1}},
        "providers": {"twilio-uk": {"per_minute": 1}, "twilio": {"per_minute": 9}},
    }
    listed = read_prices(LIST_PRICES, {})
    of_both = Pricing([Prices.model_validate(mine), listed])
    assert of_both(CALL, [used(input_text=1)]).cost_nanos == 2_000_000_000 + 1_000
    assert of_both(CALL, [used(model="gpt-realtime-mini", input_text=1)]).cost_nanos == 2_000_000_000 + 600


def test_money_is_written_for_people_and_for_programs() -> None:
    """What is too small to be shown is not shown as nothing."""
    assert money(12_345_678, "USD") == "0.0123 USD"
    assert money(1_200_000_000_000, "EUR") == "1200.0000 EUR"
    assert money(49_000, "USD") == "<0.0001 USD"
    assert money(0, "USD") == "0.0000 USD"
    assert [decimal_text(nanos) for nanos in (12_345_678, 0, 5_000_000_000, 1)] == [
        "0.012345678",
        "0",
        "5",
        "0.000000001",
    ]
