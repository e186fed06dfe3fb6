"""A recording that is played to callers, in the format of their phone stream."""

from pathlib import Path

from gateway.audio import g711
from gateway.audio.audio_file import read_audio
from gateway.audio.formats import AudioFormat, Encoding
from gateway.audio.g711 import Samples
from gateway.audio.resample import resample


class Sound:
    """Mono audio that is encoded once for each format it is played in. Immutable but for that."""

    def __init__(self, samples: Samples, rate_hz: int) -> None:
        self._samples = samples
        self._rate_hz = rate_hz
        self._resampled: dict[int, Samples] = {rate_hz: samples}
        self._encoded: dict[AudioFormat, bytes] = {}

    @classmethod
    def read(cls, path: Path | str) -> "Sound":
        """Read an audio file and mix its channels to one. Raises RecordingError where it cannot be read."""
        audio = read_audio(path)
        return cls(audio.mono, audio.rate_hz)

    @property
    def duration_ms(self) -> float:
        """The duration of the sound in milliseconds."""
        return self._samples.size * 1000 / self._rate_hz

    def encoded(self, audio_format: AudioFormat) -> bytes:
        """Return the audio in ``audio_format``. The first time takes some milliseconds for each second of it."""
        if audio_format not in self._encoded:
            samples = self._at(audio_format.rate_hz)
            is_linear = audio_format.encoding is Encoding.L16
            self._encoded[audio_format] = (
                samples.astype("<i2").tobytes() if is_linear else g711.encode(samples, audio_format)
            )
        return self._encoded[audio_format]

    def _at(self, rate_hz: int) -> Samples:
        if rate_hz not in self._resampled:
            self._resampled[rate_hz] = resample(self._samples, self._rate_hz, rate_hz)
        return self._resampled[rate_hz]
