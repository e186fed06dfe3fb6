from pathlib import Path

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import L16_8K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.audio.sound import Sound
from gateway.audio.wav import write_wav
from gateway.errors import RecordingError

TONE = (8000 * np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000)).astype(np.int16)
"""A second at 16 kHz."""


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_8K, L16_24K], ids=str)
def test_a_sound_lasts_as_long_in_every_format(tmp_path: Path, audio_format: AudioFormat) -> None:
    """A recording of any rate becomes what the phone stream takes."""
    write_wav(tmp_path / "tone.wav", TONE, 16000)
    sound = Sound.read(tmp_path / "tone.wav")
    assert sound.duration_ms == 1000
    assert audio_format.duration_ms(len(sound.encoded(audio_format))) == 1000


def test_a_sound_is_as_loud_as_its_recording() -> None:
    """Neither the other rate nor the other encoding changes the level."""
    heard = g711.decode(Sound(TONE, 16000).encoded(PCMU), PCMU)
    assert np.std(heard.astype(float)) == pytest.approx(np.std(TONE.astype(float)), rel=0.02)


def test_two_channels_are_mixed(tmp_path: Path) -> None:
    """A phone has one ear."""
    write_wav(tmp_path / "stereo.wav", np.stack([TONE, np.zeros_like(TONE)], axis=1), 8000)
    mixed = np.frombuffer(Sound.read(tmp_path / "stereo.wav").encoded(L16_8K), "<i2")
    assert np.abs(mixed - TONE / 2).max() <= 1


def test_a_sound_is_encoded_once_for_each_format() -> None:
    """A call gets bytes that are ready."""
    sound = Sound(TONE, 16000)
    assert sound.encoded(PCMU) is sound.encoded(PCMU)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(RecordingError, match=r"none\.wav: no such file"):
        Sound.read(tmp_path / "none.wav")
