"""How alike two pieces of audio are."""

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import PCMU
from gateway.call.barge_in.echo import likeness
from tests.call.barge_in.sounds import bot_speech, caller_speech, quieter

PLAYED = bot_speech(1.6)


@pytest.mark.parametrize("delay_ms", [0, 100, 300, 790])
def test_an_echo_is_alike_at_any_delay(delay_ms: int) -> None:
    """Quieter, and by up to 0.8 s later than it was played."""
    start = 12800 - 6400 - delay_ms * 8
    heard = quieter(PLAYED[start : start + 6400], 0.2)
    assert likeness(g711.decode(heard, PCMU), g711.decode(PLAYED, PCMU), 8000) > 0.9


def test_another_speaker_is_not() -> None:
    """The caller's own words, over the same reply."""
    heard = caller_speech(0.8)
    assert likeness(g711.decode(heard, PCMU), g711.decode(PLAYED, PCMU), 8000) < 0.7


@pytest.mark.parametrize("rate_hz", [16000, 24000])
def test_the_rate_does_not_matter(rate_hz: int) -> None:
    """Linear streams of 16 and 24 kHz."""
    played = np.repeat(g711.decode(PLAYED, PCMU), rate_hz // 8000)
    heard = played[played.size // 4 : played.size * 3 // 4] // 4
    assert likeness(heard, played, rate_hz) > 0.9


def test_silence_is_like_nothing() -> None:
    """On either side; too little audio as well."""
    sound, silence = g711.decode(PLAYED, PCMU), np.zeros(12800, np.int16)
    assert likeness(silence[:6400], sound, 8000) == 0
    assert likeness(sound[:6400], silence, 8000) == 0
    assert likeness(sound[:100], sound, 8000) == 0
    assert likeness(sound, sound[:6400], 8000) == 0
