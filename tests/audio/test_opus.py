"""Ogg Opus, as browsers play it."""

import io

import numpy as np
import pytest
import soundfile

from gateway.audio.opus import opus_bytes


def tone(rate_hz: int, seconds: float = 3.0) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Two tones, one on each side."""
    at = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.stack([np.sin(2 * np.pi * hz * at) * 8000 for hz in (300, 700)], axis=1).astype(np.int16)


@pytest.mark.parametrize(("rate_hz", "written_hz"), [(8000, 8000), (11025, 12000), (16000, 16000), (24000, 24000)])
def test_a_recording_becomes_small_and_keeps_its_length(rate_hz: int, written_hz: int) -> None:
    """And its sides: each is loudest at its own tone."""
    samples = tone(rate_hz)
    content = opus_bytes(samples, rate_hz)
    assert content[:4] == b"OggS"
    assert len(content) < samples.nbytes / 4
    heard, rate = soundfile.read(io.BytesIO(content))
    assert (rate, heard.shape[1]) == (written_hz, 2)
    assert len(heard) == pytest.approx(3 * written_hz, abs=written_hz / 50)
    loudest = [np.argmax(np.abs(np.fft.rfft(side[: 2 * written_hz]))) / 2 for side in heard.T]
    assert loudest == pytest.approx([300, 700], abs=2)
