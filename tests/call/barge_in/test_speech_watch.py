"""The speech watch: how much speech it needs, and what it takes for speech."""

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.audio.resample import resample
from gateway.call.barge_in.speech_watch import FRAME_MS, SpeechWatch
from tests.call.barge_in.sounds import caller_speech


def looked_at(samples: g711.Samples, audio_format: AudioFormat) -> list[bool]:
    """Return the watch's answer for each frame that it looks at, ten times a second."""
    watch = SpeechWatch(audio_format)
    audio = g711.encode(samples, audio_format)
    step, frame = audio_format.bytes_for(100), audio_format.bytes_for(FRAME_MS)
    return [watch.look(audio[at : at + frame]) for at in range(0, len(audio) - frame, step)]


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_16K, L16_24K], ids=str)
def test_a_second_and_a_half_of_speech_is_noticed(audio_format: AudioFormat) -> None:
    """In each format of a phone stream, and not before."""
    speech = resample(g711.decode(caller_speech(4.0), PCMU), 8000, audio_format.rate_hz)
    found = looked_at(speech, audio_format)
    assert not any(found[:15])
    assert any(found)


@pytest.mark.parametrize("level", [0, 60, 150])
def test_noise_is_not(level: int) -> None:
    """Silence and the noise of a line, at up to -47 dBFS."""
    noise = (np.random.default_rng(1).normal(size=8000 * 20) * level).astype(np.int16)
    assert not any(looked_at(noise, PCMU))


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> SpeechWatch:
    """A watch that takes ``b"speech"`` for speech, and nothing else."""
    monkeypatch.setattr(SpeechWatch, "_is_speech", lambda _, audio: audio == b"speech")
    return SpeechWatch(PCMU)


def test_speech_must_last_for_a_second_and_a_half(watch: SpeechWatch) -> None:
    """A second of it after a pause is not enough, though it is most of the time that is looked at."""
    assert not any(watch.look(b"") for _ in range(4))
    assert [watch.look(b"speech") for _ in range(16)] == [False] * 15 + [True]


def test_pauses_between_words_do_not_count(watch: SpeechWatch) -> None:
    """Three tenths of the time, and no more."""
    assert [watch.look(b"" if n in (3, 4, 8, 11) else b"speech") for n in range(16)][-1]
    watch.forget()
    assert not any(watch.look(b"" if n in (3, 4, 8, 11, 12) else b"speech") for n in range(16))


def test_it_begins_anew_when_it_is_told_to(watch: SpeechWatch) -> None:
    """With nothing of what was before."""
    assert not any(watch.look(b"speech") for _ in range(10))
    watch.forget()
    assert [watch.look(b"speech") for _ in range(16)] == [False] * 15 + [True]


def test_it_gives_alarm_again_once_the_service_has_heard_somebody() -> None:
    """And twice in a call at most: what is still left out then is not the caller."""
    watch = SpeechWatch(PCMU)
    speech = caller_speech(3.0)
    pieces = [speech[at : at + 160] for at in range(0, 20000, 800)]

    def alarms() -> bool:
        watch.forget()
        return any(watch.look(piece) for piece in pieces)

    for _ in range(2):
        assert alarms()
        watch.alarmed()
        assert not alarms()
        watch.reported()
    assert not alarms()
