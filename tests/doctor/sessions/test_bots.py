"""The distinct sessions of all lines."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.audio.formats import L16_16K, L16_24K, PCMU
from gateway.config import Lines, load_deployment
from gateway.doctor.sessions.bots import Bot, bots_of, formats_of

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def bots(tmp_path: Path, lines: dict[str, str], providers: str = "{}") -> list[Bot]:
    """The bots of these lines."""
    (tmp_path / "lines").mkdir()
    for number, (name, text) in enumerate(lines.items()):
        begins = f'numbers: ["+1425555010{number}"]\n'
        (tmp_path / "lines" / f"{name}.yaml").write_text(begins + text)
    (tmp_path / "gateway.yaml").write_text(f"providers: {providers}\n")
    deployment = load_deployment(tmp_path / "gateway.yaml", {})
    return bots_of(deployment, list(Lines(deployment)), NOW)


def test_lines_that_differ_in_words_alone_share_a_bot(tmp_path: Path) -> None:
    """Instructions, labels and greeting cannot be refused."""
    (bot,) = bots(
        tmp_path,
        {"a": "instructions: One.\n", "b": "instructions: Two.\ngreeting: Hello.\nmetadata: {team: x}\n"},
    )
    assert bot.lines == ("a", "b")
    assert bot.about == "gpt-realtime, en-US-AvaMultilingualNeural, pcmu/8000 (a, b)"
    assert bot.session["instructions"] == "One."


@pytest.mark.parametrize(
    "other",
    [
        "instructions: x\nmodel: gpt-4.1\n",
        "instructions: x\nvoice: en-US-AndrewNeural\n",
        "instructions: x\nturn_detection: {type: azure_semantic_vad, silence_duration_ms: 900}\n",
        "instructions: x\ntools: [end_call]\n",
        "agent: {name: desk, project: contoso}\n",
    ],
)
def test_what_can_be_refused_makes_a_bot(tmp_path: Path, other: str) -> None:
    """Model, voice, settings, the presence of tools, an agent."""
    found = bots(tmp_path, {"a": "instructions: x\n", "b": other})
    assert [bot.lines for bot in found] == [("a",), ("b",)]


def test_an_agent_is_named(tmp_path: Path) -> None:
    """It may have a voice of its own."""
    (bot,) = bots(tmp_path, {"a": "agent: {name: desk, project: contoso}\n"})
    assert bot.about == "agent desk, pcmu/8000 (a)"


def test_each_format_of_the_providers_makes_a_bot(tmp_path: Path) -> None:
    """The usual one of each account, at its configured rate."""
    found = bots(tmp_path, {"a": "instructions: x\n"}, "{twilio: {}, telnyx: {}, vonage: {}, acs: {rate_hz: 16000}}")
    assert [bot.audio_format for bot in found] == [PCMU, L16_16K]


def test_without_a_provider_it_is_mulaw(tmp_path: Path) -> None:
    """As most phones bring it."""
    (tmp_path / "gateway.yaml").write_text("providers: {acs: {}}")
    assert formats_of(load_deployment(tmp_path / "gateway.yaml", {})) == (L16_24K,)
    (tmp_path / "gateway.yaml").write_text("")
    assert formats_of(load_deployment(tmp_path / "gateway.yaml", {})) == (PCMU,)
