from typing import Any

import pytest

from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.settings import Settings

AVA = {"type": "azure-standard", "name": "en-US-AvaNeural"}
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
        ("gpt-realtime", {"output_audio_timestamp_types": ["word"]}, "session.output_audio_timestamp_types"),
        ("gpt-realtime-2", {"input_audio_transcription": AZURE_SPEECH}, "session.turn_detection"),
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
        ("gpt-realtime", {"output_audio_timestamp_types": ["word"], "voice": AVA}),
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
