"""The audio formats by the names that a session uses."""

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat

G711 = {"g711_ulaw": PCMU, "g711_alaw": PCMA}
INPUT_PCM16 = {8000: L16_8K, 16000: L16_16K, 24000: L16_24K}
OUTPUT = {
    **G711,
    "pcm16": L16_24K,
    "pcm16_8000hz": L16_8K,
    "pcm16_16000hz": L16_16K,
    "pcm16-8000hz": L16_8K,  # spelling of the 2025 previews
    "pcm16-16000hz": L16_16K,
}


def input_format(name: str, rate_hz: int) -> AudioFormat | None:
    """Return the format that ``input_audio_format`` and ``input_audio_sampling_rate`` mean together, or None."""
    if name == "pcm16":
        return INPUT_PCM16.get(rate_hz)
    return G711.get(name) if rate_hz == 8000 else None
