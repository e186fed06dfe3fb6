"""Remember what a simulated phone really played."""

from gateway.audio.formats import AudioFormat
from gateway.sim.phone.playout import LIMIT_MS, Playout


class KeepingPlayout(Playout):
    """A playout buffer that remembers every byte that it was ever given."""

    def __init__(self, audio_format: AudioFormat, *, limit_ms: int = LIMIT_MS, drops_silence: bool = False) -> None:
        super().__init__(audio_format, limit_ms=limit_ms, drops_silence=drops_silence)
        self.stream = bytearray()

    def add(self, audio: bytes) -> bool:
        taken = super().add(audio)
        if taken:
            self.stream += audio
        return taken
