"""The pieces in which audio is sent, as recorded sessions have them."""

from collections.abc import Iterator

from gateway.audio.formats import AudioFormat

AZURE_DELTAS_MS = (200, 300, 500)
"""The first, the second and all further audio deltas of Azure TTS."""
OPENAI_DELTAS_MS = (250,)


def slices(audio: bytes, audio_format: AudioFormat, sizes_ms: tuple[int, ...]) -> Iterator[bytes]:
    """Cut ``audio`` into pieces of these lengths, the last length for all further ones, the last piece what is left."""
    start = 0
    for index in range(len(audio)):
        if start >= len(audio):
            return
        size = audio_format.bytes_for(sizes_ms[min(index, len(sizes_ms) - 1)])
        yield audio[start : start + size]
        start += size
