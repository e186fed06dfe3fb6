"""The pieces in which audio is sent."""

import pytest

from gateway.audio.formats import L16_24K, PCMU, AudioFormat
from gateway.sim.emulator.speaking.deltas import AZURE_DELTAS_MS, OPENAI_DELTAS_MS, slices


@pytest.mark.parametrize("audio_format", [PCMU, L16_24K], ids=str)
@pytest.mark.parametrize(
    ("length_ms", "sizes", "expected"),
    [
        (1720, AZURE_DELTAS_MS, [200, 300, 500, 500, 220]),
        (1000, AZURE_DELTAS_MS, [200, 300, 500]),
        (120, AZURE_DELTAS_MS, [120]),
        (0, AZURE_DELTAS_MS, []),
        (600, OPENAI_DELTAS_MS, [250, 250, 100]),
    ],
)
def test_the_last_size_repeats_and_the_rest_comes_last(
    audio_format: AudioFormat, length_ms: int, sizes: tuple[int, ...], expected: list[int]
) -> None:
    """Put together, the pieces are the audio."""
    audio = bytes(range(256)) * (audio_format.bytes_for(length_ms) // 256 + 1)
    audio = audio[: audio_format.bytes_for(length_ms)]
    pieces = list(slices(audio, audio_format, sizes))
    assert [audio_format.duration_ms(len(piece)) for piece in pieces] == expected
    assert b"".join(pieces) == audio
