"""The sessions to ask for in one call."""

from pathlib import Path

from gateway.audio.formats import L16_16K, PCMU
from gateway.sim.emulator.refusing.versions import check_session
from gateway.sim.emulator.settings.old_names import check_old_names
from gateway.voice.bot import Agent, Model
from gateway.voice.negotiation.reductions import Policy
from gateway.voice.proposals import Proposal, proposals_for
from gateway.voice.session import session_for
from tests.voice.lines import AGENT, CALL, line_of


def test_a_line_asks_for_its_session(tmp_path: Path) -> None:
    """With what may be left out of it, as the line says."""
    line = line_of(tmp_path, "strict: true\ntolerant: true")
    expected = Proposal(Model("gpt-4.1"), session_for(line, PCMU, CALL), Policy(strict=True, tolerant=True))
    assert proposals_for(line, PCMU, CALL) == (expected,)


def test_each_model_of_a_line_has_a_session_of_its_own(tmp_path: Path) -> None:
    """In the order of the line, each with what the model takes."""
    first, second = proposals_for(line_of(tmp_path, "model: [gpt-realtime, gpt-4.1-mini]"), PCMU, CALL)
    assert (first.answering, second.answering) == (Model("gpt-realtime"), Model("gpt-4.1-mini"))
    assert "temperature" not in first.session
    assert second.session["temperature"] == 0.8


def test_an_agent_may_have_settings_of_its_own(tmp_path: Path) -> None:
    """So more of ours may be left out."""
    (proposal,) = proposals_for(line_of(tmp_path, "", begins=AGENT), PCMU, CALL)
    assert (proposal.answering, proposal.policy) == (Agent("desk", "contoso"), Policy(agent=True))


def test_what_an_older_version_does_not_know_is_not_asked_for(tmp_path: Path) -> None:
    """Else it would refuse the whole session."""
    (proposal,) = proposals_for(line_of(tmp_path, "tools: [end_call]"), PCMU, CALL, "2026-04-10")
    assert "parallel_tool_calls" not in proposal.session
    assert "metadata" in proposal.session


def test_the_first_version_has_names_of_its_own(tmp_path: Path) -> None:
    """The emulator takes them at that version; today's has today's names."""
    turns = "turn_detection: {type: azure_semantic_vad_multilingual, end_of_utterance_detection: {timeout_ms: 1500, "
    turns += "model: semantic_detection_v1_multilingual, threshold_level: high}}"
    line = line_of(tmp_path, turns)
    (proposal,) = proposals_for(line, PCMU, CALL, "2025-05-01-preview")
    detection = proposal.session["turn_detection"]
    assert detection["type"] == "azure_multilingual_semantic_vad"
    judge = {"model": "semantic_detection_v1_multilingual", "timeout": 1.5}
    assert detection["end_of_utterance_detection"] == judge
    check_session(proposal.session, "2025-05-01-preview")
    check_old_names(proposal.session, "2025-05-01-preview")
    (today,) = proposals_for(line, PCMU, CALL)
    check_old_names(today.session, "2026-07-15")
    assert today.session["turn_detection"]["end_of_utterance_detection"]["timeout_ms"] == 1500


def test_openai_voices_on_linear_streams_come_at_24_khz(tmp_path: Path) -> None:
    """The caller's audio goes as it is."""
    line = line_of(tmp_path, "voice: marin", model="gpt-realtime")
    (proposal,) = proposals_for(line, L16_16K, CALL)
    formats = ("input_audio_format", "input_audio_sampling_rate", "output_audio_format")
    assert [proposal.session[key] for key in formats] == ["pcm16", 16_000, "pcm16"]
