"""Audio on a tape: its size and level in place of its sound. Pure."""

import math

import numpy as np
from pybase64 import b64decode, b64encode_as_string

from gateway.audio import g711
from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat

QUIETEST_DB = -90.0
"""The level of digital silence, in dB below full scale."""
SESSION_FORMATS = {
    "g711_ulaw": PCMU,
    "g711_alaw": PCMA,
    "pcm16": L16_24K,
    "pcm16_8000hz": L16_8K,
    "pcm16-8000hz": L16_8K,
    "pcm16_16000hz": L16_16K,
    "pcm16-16000hz": L16_16K,
    "pcm16_24000hz": L16_24K,
}
"""The formats of a session by the names of the service; the rate does not matter to a level."""


def level_db(audio: bytes, audio_format: AudioFormat | None, *, swapped: bool = False) -> float:
    """Return the level (RMS) in dB below full scale; that of silence where the format is not known.

    ``swapped``: linear samples are big-endian.
    """
    if audio_format is None or not audio:
        return QUIETEST_DB
    samples = g711.decode(audio[: len(audio) // audio_format.sample_bytes * audio_format.sample_bytes], audio_format)
    if swapped:
        samples = samples.byteswap()
    if not len(samples):
        return QUIETEST_DB
    rms = math.sqrt(float(np.mean(np.square(samples.astype(np.float64)))))
    return max(QUIETEST_DB, round(20 * math.log10(rms / 32768), 1)) if rms else QUIETEST_DB


def told(audio: bytes, level: float, *, keep: bool) -> str:
    """Return what stands on the tape: ``$audio BYTES DB``, and the audio in base64 where it is kept."""
    return f"$audio {len(audio)} {level:.1f}" + (f" {b64encode_as_string(audio)}" if keep and audio else "")


def sound(told_audio: str) -> bytes:
    """Return the audio of such a text: the kept one, else zeros of its size."""
    _, size, _, *kept = told_audio.split(" ")
    return b64decode(kept[0]) if kept else bytes(int(size))


def size(told_audio: str) -> int:
    """Return the number of bytes of such a text."""
    return int(told_audio.split(" ")[1])
