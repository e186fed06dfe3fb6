"""Remember what a simulated phone really played."""

import numpy as np

from gateway.audio import g711
from gateway.audio.formats import AudioFormat
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.playout import LIMIT_MS, Playout


class KeepingPlayout(Playout):
    """A playout buffer that remembers every byte that it was ever given."""

    def __init__(self, audio_format: AudioFormat, *, limit_ms: int = LIMIT_MS, drops_silence: bool = False) -> None:
        super().__init__(audio_format, limit_ms=limit_ms, drops_silence=drops_silence)
        self.stream = bytearray()

    def add(self, audio: bytes) -> bool:
        before = self.added_bytes
        taken = super().add(audio)
        if self.added_bytes > before:
            self.stream += audio
        return taken


def common(one: bytes, other: bytes) -> int:
    """Return with how many bytes both begin."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (mine, its) in enumerate(pairs) if mine != its), min(len(one), len(other)))


def as_played(provider: str, phone: SimulatedPhone, audio: bytes) -> bytes:
    """Return the service's audio as the phone is to hear it.

    Telnyx takes ours in mu-law, whatever the caller's law is; jambonz takes a sample of -1 for a mark.
    """
    spoken, played = phone.audio_format, phone.bot_format
    if provider == "jambonz":
        samples = np.frombuffer(audio, "<i2")
        return np.where(samples == -1, 0, samples).astype("<i2").tobytes()
    return audio if spoken == played else g711.encode(g711.decode(audio, spoken), played)
