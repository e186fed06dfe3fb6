"""Sample-rate conversion, through libsamplerate."""

import numpy as np
import samplerate

from gateway.audio.g711 import Samples

_BLOCK = 4096  # samples converted at a time: libsamplerate keeps Python's lock, and calls in other threads wait for it
_CONVERTER = "sinc_medium"  # 121 dB SNR, 90 % bandwidth: a phone line has 72 dB at most


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Convert ``samples`` to another rate: same level, same start, ``round(n * to_hz / from_hz)`` samples long.

    Values beyond the range of 16 bits are clipped. Each rate may be at most 256 times the other
    (``ValueError``).
    """
    if from_hz <= 0 or to_hz <= 0 or max(from_hz, to_hz) > 256 * min(from_hz, to_hz):
        raise ValueError(f"cannot convert from {from_hz} Hz to {to_hz} Hz")
    if from_hz == to_hz or not samples.size:
        return samples
    length = round(samples.size * to_hz / from_hz)
    # The filter looks ahead by some samples: silence after the end lets it give out the last of them.
    padded = np.concatenate([samples, np.zeros(max(256, from_hz // to_hz * 256), np.int16)])
    converter = samplerate.Resampler(_CONVERTER)
    blocks = [padded[start : start + _BLOCK].astype(np.float32) for start in range(0, padded.size, _BLOCK)]
    ratio = to_hz / from_hz
    pieces = [converter.process(block, ratio, block is blocks[-1]) for block in blocks]
    converted = np.concatenate(pieces)[:length]
    whole = np.zeros(length, np.float32)
    whole[: converted.size] = converted
    return np.clip(np.rint(whole), -32768, 32767).astype(np.int16)


class StreamResampler:
    """Converts audio piece by piece; the pieces together are what :func:`resample` makes of the whole.

    A piece holds back some milliseconds, which the filter looks ahead; :meth:`end` returns them. One object serves one
    run of audio.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._to_hz = to_hz
        self._converter = samplerate.Resampler(_CONVERTER)
        self._taken = 0
        self._given = 0

    def convert(self, samples: Samples) -> Samples:
        """Return what is complete after these samples."""
        self._taken += samples.size
        return self._process(samples, is_last=False)

    def end(self) -> Samples:
        """Return what was held back."""
        left = round(self._taken * self._to_hz / self._from_hz) - self._given
        silence = np.zeros(max(256, self._from_hz // self._to_hz * 256), np.int16)
        return self._process(silence, is_last=True)[: max(0, left)]

    def _process(self, samples: Samples, *, is_last: bool) -> Samples:
        ratio = self._to_hz / self._from_hz
        blocks = range(0, samples.size, _BLOCK) or (0,)
        pieces = [
            self._converter.process(
                samples[start : start + _BLOCK].astype(np.float32), ratio, is_last and start == blocks[-1]
            )
            for start in blocks
        ]
        converted = np.concatenate(pieces)
        self._given += converted.size
        clipped: Samples = np.clip(np.rint(converted), -32768, 32767).astype(np.int16)
        return clipped
