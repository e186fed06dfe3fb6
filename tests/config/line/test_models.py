from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.line.models import (
    FAMILIES,
    MAI_TRANSCRIPTIONS,
    MODELS,
    Engine,
    Traits,
    engine_of,
    is_known,
    models_of,
    traits_of,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"
NATIVE = (
    *("gpt-realtime", "gpt-realtime-mini", "gpt-realtime-1.5", "gpt-realtime-2", "gpt-realtime-2.1-mini"),
    *("azure-realtime", "gpt-4o-realtime-preview"),
)
CASCADED = (
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-nano", "gpt-5", "gpt-5-mini", "gpt-5.1", "gpt-5.4-nano"),
    *("phi4-mm-realtime", "phi4-mini"),
)


def mai(traits: Traits) -> str | bool:
    """The cell about Microsoft's own transcription models."""
    taken = [name for name in MAI_TRANSCRIPTIONS if name in traits.transcriptions]
    return "`mai-transcribe-1`" if taken == ["mai-transcribe-1"] else bool(taken)


ROWS: dict[str, Callable[[Traits], str | bool]] = {
    "hears and speaks itself (native)": lambda one: one.engine is Engine.NATIVE,
    "OpenAI voices": lambda one: one.openai,
    "azure-standard, -custom, -personal voices": lambda one: not one.azure_realtime,
    "azure-realtime-native voices": lambda one: one.azure_realtime,
    "tools": lambda one: not one.azure_realtime,
    "MCP servers": lambda one: one.mcp and not one.azure_realtime,
    "`parallel_tool_calls: true`": lambda one: one.parallel_calls and not one.azure_realtime,
    "`semantic_vad`": lambda one: one.openai,
    "`end_of_utterance_detection`": lambda one: one.engine is Engine.CASCADED,
    "transcription `azure-speech`": lambda one: {"": "yes", "needed": "¹", "unknown": "²"}[one.azure_vad],
    "transcription `whisper-1`, `gpt-…-transcribe`": lambda one: "whisper-1" in one.transcriptions,
    "transcription `mai-transcribe…`": mai,
    "`phrase_list`, `interim_response`": lambda one: one.text,
    "`near_field`, `far_field`": lambda one: "yes" if one.openai else "no effect",
    "`temperature`": lambda one: (
        "1 alone" if one.reasoning == "always" else "³" if one.text and one.reasoning else "yes"
    ),
    "`reasoning_effort`": lambda one: bool(one.reasoning),
}
"""The rows of the documents' table: a title, and a cell by what a family takes."""


def table() -> str:
    """The table of the documents, as the families have it."""
    lines = ["| " + " | ".join(["", *(one.family for one in FAMILIES)]) + " |", "|---" * (len(FAMILIES) + 1) + "|"]
    for title, cell in ROWS.items():
        cells = [cell(one) for one in FAMILIES]
        words = [shown if isinstance(shown, str) else "yes" if shown else "" for shown in cells]
        lines.append("| " + " | ".join([title, *words]) + " |")
    return "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines) + "\n"


def test_the_documents_have_the_table_of_the_code() -> None:
    """What the checks know of a family stands in the documents, cell by cell."""
    assert table() in DOCUMENT.read_text(encoding="utf-8"), table()


@pytest.mark.parametrize("model", MODELS)
def test_every_name_that_is_suggested_is_known(model: str) -> None:
    """A misspelling leads to a model of the table."""
    assert is_known(model)


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
    """A model of tomorrow can be used today, and is refused nothing that its family may take."""
    assert not is_known("gpt-realtime-9")
    assert engine_of("gpt-realtime-9") is Engine.NATIVE
    assert engine_of("gpt-9") is Engine.CASCADED
    assert traits_of("gpt-9").reasoning
    assert traits_of("gpt-realtime-9").parallel_calls
    assert traits_of("gpt-realtime-9").azure_vad == "unknown"
    assert traits_of("gpt-realtime-2-2027-01-01").azure_vad == "needed"
    assert not traits_of("phi9").mcp
    assert traits_of("azure-realtime-2").azure_realtime


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
def test_a_temperature_is_sent_to_documented_text_models(model: str, temperature: float | None) -> None:
    """Send none to a model that may not take one."""
    assert traits_of(model).temperature == temperature


def test_phi_is_cascaded_and_no_text_model() -> None:
    """It has Azure's speech to text before it, and takes no options of text models."""
    assert not traits_of("phi4-mm-realtime").text
    assert traits_of("gpt-4.1").text
    assert traits_of("").text


def test_what_a_model_of_the_old_quickstarts_takes() -> None:
    """``gpt-4o-realtime-preview`` is one of OpenAI's speech models, with any detection of turns."""
    traits = traits_of("gpt-4o-realtime-preview")
    assert (traits.openai, traits.azure_vad, traits.parallel_calls, traits.reasoning) == (True, "", True, "")


def test_a_chain_is_one_model_or_several() -> None:
    """In their order."""
    assert models_of(None) == ()
    assert models_of("gpt-realtime") == ("gpt-realtime",)
    assert models_of(("a", "b")) == ("a", "b")
