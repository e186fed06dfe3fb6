"""The WAV files that are written."""

import struct
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.audio_file import read_audio
from gateway.audio.wav import wav_bytes, write_wav

RAMP = np.arange(-32_000, 32_000, 100, dtype=np.int16)


@pytest.mark.parametrize("shape", [(640,), (320, 2)])
def test_what_is_written_is_read_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Mono and stereo make the round trip bit by bit."""
    write_wav(tmp_path / "a.wav", RAMP.reshape(shape), 8_000)
    audio = read_audio(tmp_path / "a.wav")
    assert audio.rate_hz == 8_000
    assert np.array_equal(audio.samples.reshape(shape), RAMP.reshape(shape))


def test_the_sizes_of_a_written_file_are_true() -> None:
    """RIFF and data chunk state what follows them."""
    content = wav_bytes(RAMP, 8_000)
    assert struct.unpack_from("<I", content, 4) == (len(content) - 8,)
    assert struct.unpack_from("<4sI", content, 36) == (b"data", RAMP.nbytes)
