"""Speech from the recorded prompts, as frames of a call."""

import numpy as np

from gateway.audio import g711
from gateway.audio.formats import PCMU
from gateway.audio.g711 import Samples
from gateway.sim.prompts import bot_prompts, caller_prompts, read_mulaw

FRAME = 160


def bot_speech(seconds: float) -> bytes:
    """Return the bot's words: recorded prompts, one after the other."""
    return b"".join(read_mulaw(prompt.path) for prompt in bot_prompts().values())[: int(seconds * 8000)]


def caller_speech(seconds: float) -> bytes:
    """Return a caller's words, without a long pause."""
    sound = b"".join(read_mulaw(prompt.path) for prompt in caller_prompts())
    samples = g711.decode(sound, PCMU)
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
    loud = np.sqrt(np.mean(frames.astype(np.float64) ** 2, axis=1)) > 300
    return g711.encode(frames[loud].reshape(-1), PCMU)[: int(seconds * 8000)]


def quieter(sound: bytes, factor: float) -> bytes:
    """The same at another level."""
    samples: Samples = (g711.decode(sound, PCMU) * factor).astype(np.int16)
    return g711.encode(samples, PCMU)


def mixed(one: bytes, other: bytes) -> bytes:
    """Both at once."""
    samples = g711.decode(one, PCMU).astype(np.int32) + g711.decode(other, PCMU)
    return g711.encode(np.clip(samples, -32768, 32767).astype(np.int16), PCMU)


def frames(sound: bytes) -> list[bytes]:
    """Whole frames of 20 ms."""
    return [sound[at : at + FRAME] for at in range(0, len(sound) - FRAME + 1, FRAME)]
