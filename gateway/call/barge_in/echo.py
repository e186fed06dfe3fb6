"""The likeness of two pieces of audio: whether one is an echo of the other. Pure.

The envelopes of both in narrow bands are compared at every delay that an echo may have. Envelopes survive what an echo
goes through: a filter, a loudspeaker that distorts, the codec of a mobile network.
"""

import numpy as np
import numpy.typing as npt

from gateway.audio.g711 import Samples

HOP_MS, FRAME_MS = 10, 32
EDGES_HZ = (200, 350, 500, 650, 800, 1000, 1200, 1450, 1750, 2100, 2500, 2950, 3400)
"""The bands of a phone line, narrow where speech has its energy."""
COMPRESSION = 0.3
"""The power of a band's energy that is compared, so that the loudest vowel does not decide alone."""
FLOOR = 0.03
"""The share of the mean energy below which differences do not count, so that noise between words has no say."""

Envelopes = npt.NDArray[np.float64]
"""Of shape ``(time, band)``."""


def likeness(heard: Samples, played: Samples, rate_hz: int) -> float:
    """Return how alike ``heard`` is to the part of ``played`` that is most like it: 1 for an echo, near 0 for none.

    ``played`` is longer by the delays that are searched; 0 where either has no sound.
    """
    ours, all_played = _envelopes(heard, rate_hz), _envelopes(played, rate_hz)
    steps = len(ours)
    if not steps or len(all_played) < steps or not heard.any() or not played.any():
        return 0.0
    ours = ours - ours.mean(axis=0)
    theirs = np.lib.stride_tricks.sliding_window_view(all_played, steps, axis=0)
    products = np.tensordot(theirs, ours, axes=([1, 2], [1, 0]))  # their means fall out: ours have none
    sums, squares = _window_sums(all_played, steps), _window_sums(all_played * all_played, steps)
    energies = np.sum(squares - sums * sums / steps, axis=1)
    sizes = np.sqrt(np.maximum(energies, 0.0) * np.sum(ours * ours))
    return float(np.max(products / np.maximum(sizes, 1e-9)))


def _window_sums(values: Envelopes, steps: int) -> Envelopes:
    """Return the sum of every ``steps`` successive rows."""
    totals = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
    sums: Envelopes = totals[steps:] - totals[:-steps]
    return sums


def _envelopes(samples: Samples, rate_hz: int) -> Envelopes:
    """Return the compressed energy of each band, every ten milliseconds."""
    hop, frame = rate_hz * HOP_MS // 1000, rate_hz * FRAME_MS // 1000
    if samples.size < frame:
        return np.zeros((0, len(EDGES_HZ) - 1))
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[::hop] * np.hanning(frame)
    energy = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = [edge * frame // rate_hz for edge in EDGES_HZ]
    bands = np.add.reduceat(energy[:, : edges[-1]], edges[:-1], axis=1)
    envelopes: Envelopes = (bands + FLOOR * bands.mean() + 1.0) ** COMPRESSION
    return envelopes
