"""Samples to and from the bytes of a format (ITU-T G.711 for PCMU and PCMA).

The gateway passes G.711 through untouched; this serves the simulator, recordings and pictures of a call.
"""

import warnings

import numpy as np
import numpy.typing as npt

from gateway.audio.formats import AudioFormat, Encoding

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # standard library until 3.12, audioop-lts from 3.13 on
    import audioop

Samples = npt.NDArray[np.int16]
"""Mono linear samples, shape ``(n,)``."""


def decode(data: bytes, audio_format: AudioFormat) -> Samples:
    """Decode ``data`` to samples; a trailing half sample of L16 is a ``ValueError``."""
    return np.frombuffer(linear(data, audio_format), dtype="<i2")


def linear(data: bytes, audio_format: AudioFormat) -> bytes:
    """Return audio as linear 16-bit samples, little-endian."""
    match audio_format.encoding:
        case Encoding.PCMU:
            return bytes(audioop.ulaw2lin(data, 2))
        case Encoding.PCMA:
            return bytes(audioop.alaw2lin(data, 2))
        case Encoding.L16:
            return data


def level(samples: bytes) -> int:
    """Return the root mean square of linear samples, without making an array of them."""
    return int(audioop.rms(samples, 2))


def encode(samples: Samples, audio_format: AudioFormat) -> bytes:
    """Encode ``samples`` (int16) in ``audio_format``; the caller sees to the sample rate."""
    data = samples.astype("<i2").tobytes()
    match audio_format.encoding:
        case Encoding.PCMU:
            return bytes(audioop.lin2ulaw(data, 2))
        case Encoding.PCMA:
            return bytes(audioop.lin2alaw(data, 2))
        case Encoding.L16:
            return data
