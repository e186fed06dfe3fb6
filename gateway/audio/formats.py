"""Audio formats: the meaning of a run of bytes, and how long it lasts."""

import enum
from dataclasses import dataclass
from functools import cached_property


class Encoding(enum.StrEnum):
    """The way one sample is written. Values are the names the command line takes for ``--codec``."""

    PCMU = "pcmu"
    """G.711 µ-law, 1 byte a sample (ITU-T G.711, RFC 3551 §4.5.14)."""
    PCMA = "pcma"
    """G.711 A-law, 1 byte a sample (ITU-T G.711, RFC 3551 §4.5.14)."""
    L16 = "l16"
    """Linear 16-bit signed **little-endian**, as providers and Voice Live send it (RFC 3551 has it big-endian)."""


_SILENCE = {Encoding.PCMU: b"\xff", Encoding.PCMA: b"\xd5", Encoding.L16: b"\x00\x00"}


@dataclass(frozen=True)
class AudioFormat:
    """Mono audio: an encoding at a sample rate in hertz."""

    encoding: Encoding
    rate_hz: int

    @cached_property
    def silent_sample(self) -> bytes:
        """One sample of digital silence."""
        return _SILENCE[self.encoding]

    @cached_property
    def sample_bytes(self) -> int:
        """The bytes of one sample."""
        return len(self.silent_sample)

    @cached_property
    def bytes_per_ms(self) -> int:
        """The bytes of one millisecond, for rates that are multiples of 1 kHz, as those of all phone streams are."""
        return self.rate_hz * self.sample_bytes // 1000

    def bytes_for(self, duration_ms: int) -> int:
        """Return the number of bytes of ``duration_ms`` milliseconds, in whole samples."""
        return duration_ms * self.rate_hz // 1000 * self.sample_bytes

    def duration_ms(self, size: int) -> float:
        """Return the number of milliseconds of ``size`` bytes."""
        return size * 1000 / (self.rate_hz * self.sample_bytes)

    def silence(self, duration_ms: int) -> bytes:
        """Return digital silence of ``duration_ms`` milliseconds."""
        return self.silent_sample * (self.bytes_for(duration_ms) // self.sample_bytes)

    def silence_of(self, samples: int) -> bytes:
        """Return digital silence of so many samples."""
        return self.silent_sample * samples

    def silence_for(self, audio: bytes) -> bytes:
        """Return digital silence of the length of ``audio``, to play in its place."""
        return self.silent_sample * (len(audio) // self.sample_bytes)

    def __str__(self) -> str:
        return f"{self.encoding.value}/{self.rate_hz}"


PCMU = AudioFormat(Encoding.PCMU, 8000)
PCMA = AudioFormat(Encoding.PCMA, 8000)
L16_8K = AudioFormat(Encoding.L16, 8000)
L16_16K = AudioFormat(Encoding.L16, 16000)
L16_24K = AudioFormat(Encoding.L16, 24000)
