"""The formats in which Voice Live is sent and asked for audio, by the phone's format and the line's voice. Pure.

Azure voices come in the format of every phone stream. OpenAI voices come as ``pcm16`` at 24 kHz and as G.711 alone
(Microsoft's live tests of the SDK 1.3.1), so a linear phone stream of 8 or 16 kHz gets them converted.
"""

from collections.abc import Mapping

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.config.line.voices import OpenAIVoice, Voice

INPUT_FORMATS: Mapping[AudioFormat, str] = {
    PCMU: "g711_ulaw",
    PCMA: "g711_alaw",
    L16_8K: "pcm16",
    L16_16K: "pcm16",
    L16_24K: "pcm16",
}
"""``input_audio_format`` for each phone format; ``input_audio_sampling_rate`` is the phone's rate."""
PCM16 = "pcm16"
"""The output format that every voice has: linear, 24 kHz."""
OUTPUT_FORMATS: Mapping[str, AudioFormat] = {
    "g711_ulaw": PCMU,
    "g711_alaw": PCMA,
    "pcm16_8000hz": L16_8K,
    "pcm16_16000hz": L16_16K,
    PCM16: L16_24K,
}
"""Each ``output_audio_format`` that this gateway asks for, with its meaning."""
_NAMES = {audio_format: name for name, audio_format in OUTPUT_FORMATS.items()}
_OF_OPENAI = frozenset({"g711_ulaw", "g711_alaw", PCM16})


def output_format_for(audio_format: AudioFormat, voice: Voice) -> str:
    """Return the ``output_audio_format`` to ask for. Raises ``KeyError`` for a format that Voice Live does not take."""
    name = _NAMES[audio_format]
    return PCM16 if isinstance(voice, OpenAIVoice) and name not in _OF_OPENAI else name


def is_converted(audio_format: AudioFormat, voice: Voice) -> bool:
    """Return ``True`` if replies in this voice are converted on their way to a phone of this format."""
    return OUTPUT_FORMATS[output_format_for(audio_format, voice)] != audio_format
