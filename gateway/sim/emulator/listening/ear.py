"""Voice activity on the audio clock: when the caller begins and stops speaking, counted in appended audio.

Wall time is not used: audio that is pushed faster than real time gives the same answers, and audio that stops
leaves a turn open for ever, as with the service.
"""

import math
import warnings
from dataclasses import dataclass

import webrtcvad

from gateway.audio.formats import AudioFormat, Encoding

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # standard library until 3.12, audioop-lts from 3.13 on
    import audioop

FRAME_MS = 20
_VAD_RATE_HZ = 8000
_FRAME_BYTES = FRAME_MS * _VAD_RATE_HZ // 1000 * 2
_ONSET_GAP_MS = 100
"""The silence after which earlier sound no longer belongs to the beginning of this utterance."""


@dataclass(frozen=True)
class Sensitivity:
    """The numbers of a ``turn_detection`` object, in force rather than as echoed."""

    threshold: float = 0.5
    prefix_padding_ms: int = 400
    silence_duration_ms: int = 500
    speech_duration_ms: int = 200

    @property
    def gate_rms(self) -> float:
        """The level under which nothing is speech: -42 dBFS at threshold 0.5, comfort noise is 10 to 25 dB below."""
        return 32768 * math.pow(10, (-54 + 24 * self.threshold) / 20)

    @property
    def aggressiveness(self) -> int:
        """The mode of the WebRTC detector, 0 to 3."""
        return 1 if self.threshold < 0.4 else 2 if self.threshold < 0.8 else 3


@dataclass(frozen=True)
class Onset:
    """The caller began to speak: onset less padding, in milliseconds of appended audio."""

    audio_start_ms: int
    at_ms: int
    """The position at which the end was certain."""


@dataclass(frozen=True)
class Pause:
    """The caller fell silent: where that was certain (the silence included), and how long the speech was."""

    audio_end_ms: int
    speech_ms: int

    @property
    def at_ms(self) -> int:
        """The position at which the pause was certain."""
        return self.audio_end_ms


class Ear:
    """A detector that turns appended audio into :class:`Onset` and :class:`Pause`."""

    def __init__(self, audio_format: AudioFormat, sensitivity: Sensitivity) -> None:
        self._format = audio_format
        self._step = audio_format.bytes_for(FRAME_MS)
        self._rest = b""
        self._skipped_bytes = 0
        self._ratecv_state: tuple[int, tuple[tuple[int, int], ...]] | None = None
        self.position_ms = 0
        """Milliseconds of whole frames taken."""
        self._speaking = False
        self._onset_ms = 0
        self._active_ms = 0
        self._silent_ms = 0
        self.tune(sensitivity)

    def tune(self, sensitivity: Sensitivity) -> None:
        """Use other numbers from here on."""
        self.sensitivity = sensitivity
        self._gate_rms = sensitivity.gate_rms
        self._detector = webrtcvad.Vad(sensitivity.aggressiveness)

    @property
    def speaking(self) -> bool:
        """True while an onset has had no pause yet."""
        return self._speaking

    def forget(self) -> None:
        """Drop an utterance in progress; the clock goes on."""
        self._speaking = False
        self._active_ms = self._silent_ms = 0

    def skip(self, size: int) -> None:
        """Skip this many bytes without analysing them; the clock goes on."""
        self._skipped_bytes += size
        frames, self._skipped_bytes = divmod(self._skipped_bytes, self._step)
        self.position_ms += frames * FRAME_MS

    def feed(self, data: bytes) -> list[Onset | Pause]:
        """Return what ``data`` brought about; it may have any length, and a partial frame waits for its rest."""
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % self._step
        brought: list[Onset | Pause] = []
        for start in range(0, whole, self._step):
            active = self._is_speech(data[start : start + self._step])
            self.position_ms += FRAME_MS
            found = self._silence() if not active else self._speech()
            if found is not None:
                brought.append(found)
        self._rest = data[whole:]
        return brought

    def _is_speech(self, frame: bytes) -> bool:
        match self._format.encoding:
            case Encoding.PCMU:
                frame = audioop.ulaw2lin(frame, 2)
            case Encoding.PCMA:
                frame = audioop.alaw2lin(frame, 2)
            case Encoding.L16:
                pass
        if audioop.rms(frame, 2) < self._gate_rms:
            return False
        if self._format.rate_hz != _VAD_RATE_HZ:
            frame, self._ratecv_state = audioop.ratecv(
                frame, 2, 1, self._format.rate_hz, _VAD_RATE_HZ, self._ratecv_state
            )
            frame = frame[:_FRAME_BYTES].ljust(_FRAME_BYTES, b"\0")
        return bool(self._detector.is_speech(frame, _VAD_RATE_HZ))

    def _speech(self) -> Onset | None:
        self._silent_ms = 0
        if self._active_ms == 0:
            self._onset_ms = self.position_ms - FRAME_MS
        self._active_ms += FRAME_MS
        if self._speaking or self._active_ms < self.sensitivity.speech_duration_ms:
            return None
        self._speaking = True
        return Onset(max(0, self._onset_ms - self.sensitivity.prefix_padding_ms), self.position_ms)

    def _silence(self) -> Pause | None:
        if self._active_ms == 0:
            return None
        self._silent_ms += FRAME_MS
        if not self._speaking:
            if self._silent_ms > _ONSET_GAP_MS:
                self.forget()
            return None
        if self._silent_ms < self.sensitivity.silence_duration_ms:
            return None
        speech_ms = self.position_ms - self._silent_ms - self._onset_ms
        self.forget()
        return Pause(self.position_ms, speech_ms)
