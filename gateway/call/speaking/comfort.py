"""The sounds of a call whose session is gone or brings nothing: a phrase of the line, then soft tones. Pure."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from gateway.audio import g711
from gateway.audio.formats import AudioFormat, Encoding
from gateway.call.speaking.playback import Playback
from gateway.phone.commands import PhoneCommand

_COMFORT = "comfort-"
AFTER_S = 0.15
"""The caller hears something so soon after the last word, unless a session is there again by then."""
AFTER_SPEECH_S = 1.5
"""The same for a caller who was speaking: nobody knows when they stop, and a session may be there before."""
OVERDUE_S = 5.0
"""The same for a caller whom a session keeps waiting: most models have begun to speak by then."""
PHRASE_REST_S = 1.0
"""Words that are over so soon are not cut off by the bot's own."""
TONE_HZ, TONE_S, TONE_PAUSE_S, TONE_LEVEL = 440.0, 0.4, 1.6, 0.06
"""A soft tone and the pause after it; the level is about -24 dB of full scale."""
_FADE_S = 0.05


def comfort_id(number: int) -> str:
    """Return the reply id of a piece that covers the lack of a session; the service knows no such item."""
    return f"{_COMFORT}{number}"


def is_comfort(reply_id: str) -> bool:
    """Return ``True`` for the reply id of such a piece."""
    return reply_id.startswith(_COMFORT)


@lru_cache(maxsize=16)
def tone(audio_format: AudioFormat) -> bytes:
    """Return one soft tone and the pause after it."""
    rate = audio_format.rate_hz
    at = np.arange(round(TONE_S * rate)) / rate
    fade = np.minimum(1.0, np.minimum(at, TONE_S - at) / _FADE_S)
    sound = (np.sin(2 * np.pi * TONE_HZ * at) * fade * TONE_LEVEL * 32767).astype(np.int16)
    samples = np.concatenate([sound, np.zeros(round(TONE_PAUSE_S * rate), np.int16)])
    is_linear = audio_format.encoding is Encoding.L16
    return samples.astype("<i2").tobytes() if is_linear else g711.encode(samples, audio_format)


class Cover:
    """Plays what covers the lack of a session, among the bot's replies."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self._count = 0
        self._words: bool | None = None
        """``True`` if the last piece is words; ``None`` if nothing was played since the bot spoke."""

    def play(self, audio: bytes, now: float, *, words: bool) -> list[PhoneCommand]:
        """Play a piece: ``words``, or a tone."""
        self._count += 1
        self._words = words
        name = comfort_id(self._count)
        return [*self._playback.add(name, audio, now), *self._playback.complete(name, now)]

    def hush(self, now: float) -> list[PhoneCommand]:
        """Stop, because the bot speaks; words that are about to end may do so."""
        words, self._words = self._words, None
        if words is None:
            return []
        alone = all(is_comfort(reply.reply_id) for reply in self._playback.playing())
        rest_s = self._playback.ends_at(now) - now
        return [] if not alone or (words and rest_s <= PHRASE_REST_S) else self._playback.stop(now)[0]


class Comfort:
    """Decides when the caller hears what. Times are in seconds."""

    def __init__(self, phrase: Callable[[], bytes], audio_format: AudioFormat) -> None:
        self._phrase = phrase
        self._format = audio_format
        self._phrase_left = True
        self._waits = False
        self.due: float | None = None
        """When the next piece is to be played; ``None`` while none is needed."""
        self.words_played = False
        """``True`` if the caller was told to wait since ``begin``."""
        self.covered_s = 0.0
        """The length of all that was played since ``begin`` or ``wait``."""

    def begin(self, silent_at: float, *, caller_speaks: bool) -> None:
        """Begin soon after ``silent_at``, when the caller has heard all that is there; or go on after ``wait``."""
        if not self._waits:
            self._forget()
        self._waits = False
        self.due = silent_at + (AFTER_SPEECH_S if caller_speaks else AFTER_S)

    def wait(self, silent_at: float) -> None:
        """Begin some time after ``silent_at``, because what the session owes may still come."""
        self._forget()
        self._waits = True
        self.due = silent_at + OVERDUE_S

    def _forget(self) -> None:
        self._phrase_left, self.words_played, self.covered_s = True, False, 0.0

    def over(self) -> None:
        """Play no more."""
        self.due, self._waits = None, False

    def next(self, now: float, *, may_speak: bool = True) -> tuple[bytes, bool] | None:
        """Return the piece that is due, and whether it is words: the phrase once, as soon as it may be; else tones."""
        if self.due is None or now < self.due:
            return None
        phrase = self._phrase() if self._phrase_left and may_speak else b""
        self._phrase_left = self._phrase_left and not may_speak
        self.words_played = self.words_played or bool(phrase)
        audio = phrase or tone(self._format)
        lasts_s = self._format.duration_ms(len(audio)) / 1000
        self.covered_s += lasts_s
        self.due = now + lasts_s
        return audio, bool(phrase)
