"""The speech watch: notices a caller who speaks over the bot while the service reports no speech. Pure."""

from collections import deque

import numpy as np
import webrtcvad

from gateway.audio import g711
from gateway.audio.formats import AudioFormat

EVERY_S = 0.1
"""The time between two frames that are looked at."""
FRAME_MS = 20
SPEECH_S = 1.5
"""The duration of speech after which the service must have reported it."""
SHARE = 0.7
"""The share of the frames of speech that the detector must take for speech: between words there are pauses."""
STRICTEST = 3
"""The mode of the WebRTC detector that takes the least for speech."""
MOST_ALARMS = 2
"""Alarms in one call: what the service goes on leaving out is somebody in the room rather than the caller."""
ECHO_REST_S = 3.0
"""After an echo nothing is looked at for so long: one verdict costs as much as a second of the rest of a call."""
QUIET_RMS = 184
"""-45 dBFS: quieter audio is not looked at."""
_RATES_HZ = (8000, 16000)
"""The rates that the detector takes, of those that phone streams have."""


class SpeechWatch:
    """Looks at ten frames a second of a caller over whom the bot speaks."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._detector = webrtcvad.Vad(STRICTEST)
        self._found: deque[bool] = deque(maxlen=round(SPEECH_S / EVERY_S) + 1)
        self._alarms_left = MOST_ALARMS
        self._is_armed = True

    def forget(self) -> None:
        """Begin anew: the bot is silent, or the service hears the caller."""
        self._found.clear()

    def reported(self) -> None:
        """Note that the service reports speech: it hears, and may stop hearing again."""
        self._is_armed = self._alarms_left > 0

    def look(self, audio: bytes) -> bool:
        """Look at the newest audio, every ``EVERY_S``; return ``True`` once the caller has spoken for ``SPEECH_S``.

        After that it takes a report of the service before it returns ``True`` again.
        """
        self._found.append(self._is_speech(audio))
        found = self._found
        return self._is_armed and len(found) == found.maxlen and found[0] and sum(found) >= SHARE * len(found)

    def alarmed(self) -> None:
        """Note that the bot was silenced."""
        self._alarms_left -= 1
        self._is_armed = False

    def _is_speech(self, audio: bytes) -> bool:
        samples = g711.linear(audio, self._format)
        if g711.level(samples) < QUIET_RMS:
            return False
        rate_hz = self._format.rate_hz
        if rate_hz not in _RATES_HZ:  # 24 kHz: the mean of three samples is near enough for this detector
            means = np.frombuffer(samples, "<i2").reshape(-1, rate_hz // 8000).mean(axis=1)
            samples, rate_hz = means.astype("<i2").tobytes(), 8000
        return bool(self._detector.is_speech(samples, rate_hz))
