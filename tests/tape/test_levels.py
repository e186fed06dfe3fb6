import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import L16_8K, PCMA, PCMU, AudioFormat
from gateway.tape.levels import QUIETEST_DB, level_db, size, sound, told


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_8K])
def test_a_tone_has_its_level(audio_format: AudioFormat) -> None:
    """A sine of half of full scale: 9 dB below it."""
    samples = (np.sin(np.arange(800) * 0.3) * 16384).astype(np.int16)
    assert level_db(g711.encode(samples, audio_format), audio_format) == pytest.approx(-9.0, abs=0.3)


def test_silence_is_the_quietest() -> None:
    """So is what cannot be read."""
    assert level_db(bytes(320), L16_8K) == QUIETEST_DB
    assert level_db(b"", PCMU) == QUIETEST_DB
    assert level_db(b"abc", None) == QUIETEST_DB


def test_half_a_sample_and_the_other_byte_order_are_taken() -> None:
    """Audio of a peer is of any length."""
    samples = (np.sin(np.arange(800) * 0.3) * 16384).astype(np.int16)
    swapped = samples.byteswap().tobytes() + b"x"
    assert level_db(swapped, L16_8K, swapped=True) == pytest.approx(-9.0, abs=0.1)


def test_audio_is_told_by_size_and_level_and_kept_only_if_asked() -> None:
    """A reader gets silence of the same size, or the sound."""
    assert told(b"abcd", -12.34, keep=False) == "$audio 4 -12.3"
    assert sound("$audio 4 -12.3") == bytes(4)
    assert sound(told(b"abcd", -12.34, keep=True)) == b"abcd"
    assert size("$audio 160 -90.0") == 160
