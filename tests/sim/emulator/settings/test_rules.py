from typing import Any

import pytest

from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.settings import Settings

AVA = {"type": "azure-standard", "name": "en-US-AvaNeural"}
MAI = {"model": "mai-transcribe-1"}
AZURE_SPEECH = {"model": "azure-speech"}
END_OF_UTTERANCE = {"type": "server_vad", "end_of_utterance_detection": {"model": "semantic_detection_v1"}}


def update(model: str, *updates: dict[str, Any]) -> Settings:
    """The settings of a new session after these updates."""
    settings = Settings(Engine.of(model, "2026-07-15"), strict=True)
    for session in updates:
        settings.update(session, audio_received=False, has_spoken=False)
    return settings


@pytest.mark.parametrize(
    ("model", "session", "param"),
    [
        ("gpt-realtime", {"parallel_tool_calls": True}, "session.parallel_tool_calls"),
        (
            "gpt-realtime",
            {"turn_detection": END_OF_UTTERANCE},
            "session.turn_detection.end_of_utterance_detection",
        ),
        ("phi4-mm-realtime", {"voice": "alloy"}, "session.voice"),
        ("gpt-realtime-2", {"input_audio_transcription": AZURE_SPEECH}, "session.turn_detection"),
        (
            "gpt-realtime-2.1-mini",
            {"input_audio_transcription": AZURE_SPEECH, "turn_detection": {"type": "azure_semantic_vad_en"}},
            "session.turn_detection",
        ),
        ("gpt-realtime", {"input_audio_transcription": MAI}, "session.input_audio_transcription.model"),
        ("phi4-mm-realtime", {"input_audio_transcription": MAI}, "session.input_audio_transcription.model"),
        ("azure-realtime-1", {"voice": "alloy"}, "session.voice"),
    ],
)
def test_what_only_some_models_refuse(model: str, session: dict[str, Any], param: str) -> None:
    """The error names the member."""
    with pytest.raises(Rejected) as rejected:
        update(model, session)
    assert rejected.value.param == param


@pytest.mark.parametrize(
    ("model", "session"),
    [
        ("gpt-realtime", {"parallel_tool_calls": False}),
        ("gpt-realtime", {"output_audio_timestamp_types": ["word"]}),
        ("gpt-realtime", {"output_audio_timestamp_types": ["word"], "voice": AVA}),
        ("gpt-realtime", {"temperature": 0}),
        ("gpt-4.1", {"temperature": 2}),
        ("gpt-4o", {"input_audio_noise_reduction": {"type": "far_field"}}),
        ("gpt-4.1", {"reasoning_effort": "low"}),
        ("gpt-realtime-mini", {"input_audio_transcription": MAI}),
        ("gpt-realtime-1.5", {"input_audio_transcription": AZURE_SPEECH}),
        ("gpt-4o-realtime-preview", {"input_audio_transcription": AZURE_SPEECH, "voice": "alloy"}),
        ("gpt-4o-realtime-preview", {"turn_detection": {"type": "semantic_vad"}, "parallel_tool_calls": True}),
        ("gpt-realtime-2", {"parallel_tool_calls": True}),
        ("phi4-mm-realtime", {"turn_detection": END_OF_UTTERANCE}),
        ("gpt-realtime", {"input_audio_transcription": AZURE_SPEECH}),
        ("gpt-realtime-mini", {"input_audio_transcription": AZURE_SPEECH, "turn_detection": None}),
        ("phi4-mm-realtime", {"input_audio_transcription": AZURE_SPEECH}),
        ("gpt-4o-realtime-preview", {"input_audio_transcription": {"model": "whisper-1"}}),
    ],
)
def test_what_other_models_take(model: str, session: dict[str, Any]) -> None:
    """The same member, or its other value."""
    update(model, session)


@pytest.mark.parametrize("name", ["pcm16", "g711_ulaw", "g711_alaw"])
def test_openai_voices_have_three_formats(name: str) -> None:
    """Other formats are refused with them, and taken with a voice of Azure."""
    voiced = {"voice": "marin", "output_audio_format": name}
    assert update("gpt-realtime", voiced).echo["output_audio_format"] == name
    with pytest.raises(Rejected) as rejected:
        update("gpt-realtime", voiced, {"output_audio_format": "pcm16_16000hz"})
    assert rejected.value.param == "session.output_audio_format"
    update("gpt-realtime", {"voice": "en-US-AvaNeural", "output_audio_format": "pcm16_16000hz"})


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-global-standard"])
def test_the_model_may_be_repeated(model: str) -> None:
    """An update that names the session's own model changes nothing, and is accepted."""
    assert "model" in update("gpt-realtime", {"model": model, "instructions": "Be brief."}).echo


def test_another_model_is_refused() -> None:
    """The model belongs to the connection."""
    with pytest.raises(Rejected) as rejected:
        update("gpt-realtime", {"model": "gpt-4.1"})
    assert rejected.value.param == "session.model"
