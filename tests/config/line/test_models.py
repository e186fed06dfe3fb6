import pytest

from gateway.config.line.models import (
    Engine,
    default_temperature,
    engine_of,
    is_known,
    is_text_model,
    models_of,
    reasons,
)

NATIVE = (
    *("gpt-realtime", "gpt-realtime-mini", "gpt-realtime-1.5", "gpt-realtime-2", "gpt-realtime-2.1-mini"),
    "azure-realtime",
)
CASCADED = (
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-nano", "gpt-5", "gpt-5-mini", "gpt-5.1", "gpt-5.4-nano"),
    "phi4-mm-realtime",
)


@pytest.mark.parametrize("model", NATIVE)
def test_speech_models_are_native(model: str) -> None:
    """Every speech model of the documentation is known as one."""
    assert engine_of(model) is Engine.NATIVE
    assert is_known(model)


@pytest.mark.parametrize("model", CASCADED)
def test_text_models_are_cascaded(model: str) -> None:
    """Every text model of the documentation is known as one."""
    assert engine_of(model) is Engine.CASCADED
    assert is_known(model)


def test_an_unknown_model_is_judged_by_its_name() -> None:
    """A model of tomorrow can be used today."""
    assert not is_known("gpt-realtime-9")
    assert engine_of("gpt-realtime-9") is Engine.NATIVE
    assert engine_of("gpt-9") is Engine.CASCADED
    assert reasons("gpt-9")


@pytest.mark.parametrize(
    ("model", "temperature"),
    [
        ("gpt-4.1", 0.8),
        ("gpt-4o-mini", 0.8),
        ("gpt-5", 1.0),
        ("gpt-5.1-mini", 1.0),
        ("gpt-realtime", None),
        ("phi4-mm-realtime", None),
        ("gpt-9", None),
        ("", None),
    ],
)
def test_a_temperature_is_known_of_documented_text_models(model: str, temperature: float | None) -> None:
    """Send none to a model that may not take one."""
    assert default_temperature(model) == temperature


def test_phi_is_cascaded_and_no_text_model() -> None:
    """It has Azure's speech to text before it, and takes no options of text models."""
    assert not is_text_model("phi4-mm-realtime")
    assert is_text_model("gpt-4.1")
    assert is_text_model("")


def test_a_chain_is_one_model_or_several() -> None:
    """In their order."""
    assert models_of(None) == ()
    assert models_of("gpt-realtime") == ("gpt-realtime",)
    assert models_of(("a", "b")) == ("a", "b")
