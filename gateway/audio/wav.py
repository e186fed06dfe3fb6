"""Write WAV files (RIFF WAVE): 16-bit PCM and G.711 µ-law. Reading is :mod:`gateway.audio.audio_file`'s.

Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE); Microsoft ``mmreg.h`` (format tags).
"""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.audio import g711
from gateway.audio.formats import PCMU

_PCM, _MULAW = 1, 7


def write_wav(path: Path | str, samples: npt.NDArray[np.int16], rate_hz: int) -> None:
    """Write 16-bit PCM; ``samples`` of shape ``(n,)`` are mono, ``(n, 2)`` stereo, the left channel first."""
    Path(path).write_bytes(wav_bytes(samples, rate_hz))


def wav_bytes(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    """Return the content of the file that :func:`write_wav` writes."""
    return _wav(_PCM, 16, samples, rate_hz, samples.astype("<i2").tobytes())


def mulaw_wav_bytes(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    """Return the same in G.711 µ-law, half as large."""
    return _wav(_MULAW, 8, samples, rate_hz, g711.encode(samples.reshape(-1), PCMU))


def _wav(tag: int, bits: int, samples: npt.NDArray[np.int16], rate_hz: int, data: bytes) -> bytes:
    channels = samples.shape[1] if samples.ndim == 2 else 1
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits)
    chunks = [(b"fmt ", fmt), (b"data", data)]
    if tag != _PCM:  # every other format states the length of its extension, and the number of samples
        chunks = [(b"fmt ", fmt + bytes(2)), (b"fact", struct.pack("<I", len(data) // block)), (b"data", data)]
    body = b"WAVE" + b"".join(kind + struct.pack("<I", len(chunk)) + chunk for kind, chunk in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
