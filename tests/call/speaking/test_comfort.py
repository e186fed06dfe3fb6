"""What the caller hears while there is no session: a phrase once, then a soft tone again and again."""

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat, Encoding
from gateway.call.speaking.comfort import (
    AFTER_S,
    AFTER_SPEECH_S,
    TONE_PAUSE_S,
    TONE_S,
    Comfort,
    comfort_id,
    is_comfort,
    tone,
)

PHRASE = b"\x10" * 8000
"""One second."""


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_8K, L16_16K, L16_24K], ids=str)
def test_the_tone_is_soft_and_begins_at_once(audio_format: AudioFormat) -> None:
    """Audible within a frame or two, never loud, and followed by a pause."""
    audio = tone(audio_format)
    assert audio_format.duration_ms(len(audio)) == (TONE_S + TONE_PAUSE_S) * 1000
    linear = audio_format.encoding is Encoding.L16
    samples = np.frombuffer(audio, "<i2") if linear else g711.decode(audio, audio_format)
    level = np.abs(samples.astype(int))
    assert 1500 < level.max() < 2500
    assert level[: audio_format.rate_hz * 40 // 1000].max() > 300
    assert level[int(audio_format.rate_hz * TONE_S) + 1 :].max() < 20


def test_the_phrase_comes_once_and_the_tone_after_it() -> None:
    """Each right behind the one before, as long as nothing else comes."""
    comfort = Comfort(lambda: PHRASE, PCMU)
    comfort.begin(10.0, caller_speaks=False)
    assert comfort.next(10.0) is None
    assert comfort.due == 10.0 + AFTER_S
    assert comfort.next(10.2) == (PHRASE, True)
    assert comfort.words_played
    assert comfort.due == 11.2
    assert comfort.next(11.2) == (tone(PCMU), False)
    assert comfort.next(13.2) == (tone(PCMU), False)
    assert comfort.covered_s == 5.0
    comfort.over()
    assert comfort.next(99.0) is None


def test_without_a_phrase_there_is_the_tone() -> None:
    """A phrase that was not rendered in time is never waited for; with the next loss it may be there."""
    phrases = [b""]
    comfort = Comfort(lambda: phrases[0], PCMU)
    comfort.begin(0.0, caller_speaks=False)
    assert comfort.next(1.0) == (tone(PCMU), False)
    assert not comfort.words_played
    phrases[0] = PHRASE
    comfort.begin(100.0, caller_speaks=False)
    assert comfort.next(101.0) == (PHRASE, True)


def test_a_caller_who_speaks_is_not_spoken_over_at_once() -> None:
    """A session may be there before they have ended."""
    comfort = Comfort(lambda: PHRASE, PCMU)
    comfort.begin(10.0, caller_speaks=True)
    assert comfort.due == 10.0 + AFTER_SPEECH_S


def test_the_service_knows_no_such_item() -> None:
    """Its own ids look otherwise."""
    assert is_comfort(comfort_id(3))
    assert not is_comfort("item_1")
