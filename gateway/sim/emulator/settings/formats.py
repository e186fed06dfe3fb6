"""The audio formats by the names that a session uses."""

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat, Encoding

G711 = {"g711_ulaw": PCMU, "g711_alaw": PCMA}
_L16_44K = AudioFormat(Encoding.L16, 44_100)
INPUT_PCM16 = {8000: L16_8K, 16000: L16_16K, 24000: L16_24K, 44_100: _L16_44K}
"""The rates of ``pcm16``; 44.1 kHz is in the live tests of Microsoft's SDKs alone."""
OUTPUT = {
    **G711,
    "pcm16": L16_24K,
    "pcm16_8000hz": L16_8K,
    "pcm16_16000hz": L16_16K,
    "pcm16_22050hz": AudioFormat(Encoding.L16, 22_050),
    "pcm16_24000hz": L16_24K,
    "pcm16_44100hz": _L16_44K,
    "pcm16_48000hz": AudioFormat(Encoding.L16, 48_000),
    "pcm16-8000hz": L16_8K,  # spelling of the 2025 previews
    "pcm16-16000hz": L16_16K,
}


def input_format(name: str, rate_hz: int) -> AudioFormat | None:
    """Return the format that ``input_audio_format`` and ``input_audio_sampling_rate`` mean together, or None."""
    if name == "pcm16":
        return INPUT_PCM16.get(rate_hz)
    return G711.get(name) if rate_hz == 8000 else None
