"""The formats that the service is asked for."""

import pytest

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.config.line.voices import DEFAULT_VOICE, OpenAIVoice
from gateway.config.session_formats import is_converted, output_format_for

MARIN = OpenAIVoice(type="openai", name="marin")


@pytest.mark.parametrize(
    ("audio_format", "azure", "openai"),
    [
        (PCMU, "g711_ulaw", "g711_ulaw"),
        (PCMA, "g711_alaw", "g711_alaw"),
        (L16_8K, "pcm16_8000hz", "pcm16"),
        (L16_16K, "pcm16_16000hz", "pcm16"),
        (L16_24K, "pcm16", "pcm16"),
    ],
)
def test_openai_voices_are_asked_for_in_formats_that_they_have(
    audio_format: AudioFormat, azure: str, openai: str
) -> None:
    """An Azure voice comes as the phone takes it; an OpenAI voice as G.711 or at 24 kHz."""
    assert output_format_for(audio_format, DEFAULT_VOICE) == azure
    assert output_format_for(audio_format, MARIN) == openai
    assert not is_converted(audio_format, DEFAULT_VOICE)
    assert is_converted(audio_format, MARIN) == (audio_format in (L16_8K, L16_16K))
