"""Writes Ogg Opus, a tenth of the size of a recording, which browsers play. Pure."""

import io

import numpy as np
import numpy.typing as npt
import soundfile

from gateway.audio.resample import resample

RATES_HZ = (8000, 12000, 16000, 24000, 48000)
"""The rates that Opus has (RFC 6716, 2)."""
COMPRESSION = 0.96
"""About 16 kbit/s for each channel, in which the speech of a phone sounds as it was; 1.0 is 6 kbit/s."""
_BLOCK = 48_000
"""The encoder of libsndfile keeps its blocks on the stack."""


def opus_bytes(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    """Return samples of shape ``(n, channels)`` as a file; at a rate that Opus lacks, at the next higher one."""
    rate = next((one for one in RATES_HZ if one >= rate_hz), RATES_HZ[-1])
    if rate != rate_hz:
        samples = np.stack([resample(side, rate_hz, rate) for side in samples.T], axis=1)
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", rate, samples.shape[1], format="OGG", subtype="OPUS", compression_level=COMPRESSION
    ) as opus:
        for start in range(0, len(samples), _BLOCK):
            opus.write(samples[start : start + _BLOCK])
    return file.getvalue()
