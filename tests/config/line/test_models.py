import pytest

from gateway.config.line.models import Engine, engine_of, is_known, reasons

NATIVE = (
    *("gpt-realtime", "gpt-realtime-mini", "gpt-realtime-1.5", "gpt-realtime-2", "gpt-realtime-2.1-mini"),
    *("azure-realtime", "phi4-mm-realtime"),
)
CASCADED = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-nano", "gpt-5", "gpt-5-mini", "gpt-5.1", "gpt-5.4-nano")


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
