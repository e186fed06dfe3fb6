"""G.711 and linear samples."""

import numpy as np
import pytest

from gateway.audio.formats import L16_8K, PCMA, PCMU, AudioFormat
from gateway.audio.g711 import decode, encode


@pytest.mark.parametrize(
    ("audio_format", "code", "sample"),
    [
        (PCMU, 0xFF, 0),
        (PCMU, 0x80, 32_124),
        (PCMU, 0x00, -32_124),
        (PCMA, 0xD5, 8),
        (PCMA, 0x55, -8),
        (PCMA, 0xAA, 32_256),
        (PCMA, 0x2A, -32_256),
    ],
)
def test_codes_of_the_recommendation(audio_format: AudioFormat, code: int, sample: int) -> None:
    """Quietest and loudest codes of ITU-T G.711, scaled to 16 bits."""
    assert decode(bytes([code]), audio_format).tolist() == [sample]


@pytest.mark.parametrize("audio_format", [PCMU, PCMA])
def test_every_code_survives_the_way_through_samples(audio_format: AudioFormat) -> None:
    """Decoding and encoding again changes no code but µ-law's second zero, which becomes the first."""
    codes = bytes(code for code in range(256) if (audio_format, code) != (PCMU, 0x7F))
    assert encode(decode(codes, audio_format), audio_format) == codes


@pytest.mark.parametrize("audio_format", [PCMU, PCMA])
def test_the_error_of_g711_stays_below_its_step(audio_format: AudioFormat) -> None:
    """Steps grow with the level: 1/16 of it and a little at the bottom."""
    samples = np.arange(-32_000, 32_000, 7, dtype=np.int16)
    error = np.abs(decode(encode(samples, audio_format), audio_format).astype(int) - samples)
    assert (error <= np.abs(samples.astype(int)) / 16 + 16).all()


def test_linear_samples_are_little_endian() -> None:
    """L16 passes through with the low byte first; half a sample is refused."""
    assert encode(np.array([0x0102], np.int16), L16_8K) == b"\x02\x01"
    assert decode(b"\x02\x01", L16_8K).tolist() == [0x0102]
    with pytest.raises(ValueError, match="multiple of element size"):
        decode(b"\x00", L16_8K)
