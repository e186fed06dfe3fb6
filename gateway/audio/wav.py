"""Write WAV files (RIFF WAVE) of 16-bit PCM. Reading is :mod:`gateway.audio.audio_file`'s.

Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE).
"""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

_PCM = 1


def write_wav(path: Path | str, samples: npt.NDArray[np.int16], rate_hz: int) -> None:
    """Write 16-bit PCM; ``samples`` of shape ``(n,)`` are mono, ``(n, 2)`` stereo, the left channel first."""
    Path(path).write_bytes(wav_bytes(samples, rate_hz))


def wav_bytes(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    """Return the content of the file that :func:`write_wav` writes."""
    channels = samples.shape[1] if samples.ndim == 2 else 1
    block = channels * 2
    fmt, data = (
        struct.pack("<HHIIHH", _PCM, channels, rate_hz, rate_hz * block, block, 16),
        samples.astype("<i2").tobytes(),
    )
    body = b"WAVE" + b"".join(
        kind + struct.pack("<I", len(chunk)) + chunk for kind, chunk in ((b"fmt ", fmt), (b"data", data))
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
