import errno
import os
import stat
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gateway.audio import g711
from gateway.audio.audio_file import read_audio
from gateway.audio.formats import L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.records.recording.wav_file import WavFile, header


class Wav(WavFile):
    """A file that knows its path."""

    def __init__(self, path: Path, audio_format: AudioFormat, channels: int) -> None:
        super().__init__(lambda: path, audio_format, channels)
        self.path = path


def audio_of(samples: int, audio_format: AudioFormat) -> bytes:
    """Blocks of two channels."""
    loud = np.random.default_rng(4).integers(-9000, 9000, 2 * samples)
    return g711.encode(loud.astype(np.int16), audio_format)


@pytest.mark.parametrize(
    ("audio_format", "kind"), [(PCMU, "ULAW"), (PCMA, "ALAW"), (L16_16K, "PCM_16"), (L16_24K, "PCM_16")]
)
def test_it_plays_at_any_time(tmp_path: Path, audio_format: AudioFormat, kind: str) -> None:
    """Whoever opens it while it grows finds a whole file, as libsndfile reads it."""
    file, audio = Wav(tmp_path / "a.wav", audio_format, 2), audio_of(4000, audio_format)
    size = 1000 * 2 * audio_format.sample_bytes
    for number in range(4):
        assert file.write(audio[number * size : (number + 1) * size])
        about = soundfile.info(file.path)
        assert (about.subtype, about.channels, about.samplerate) == (kind, 2, audio_format.rate_hz)
        assert about.frames == (number + 1) * 1000
    file.close()
    assert (read_audio(file.path).samples == g711.decode(audio, audio_format).reshape(-1, 2)).all()
    assert file.path.read_bytes().endswith(audio)
    assert file.seconds == 4000 / audio_format.rate_hz
    assert file.lost_s == 0


def test_linear_audio_is_read_by_everybody(tmp_path: Path) -> None:
    """The standard library too."""
    file = Wav(tmp_path / "a.wav", L16_16K, 2)
    file.write(audio_of(100, L16_16K))
    with wave.open(str(file.path)) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate(), read.getnframes()) == (2, 2, 16_000, 100)
    file.close()


def test_the_header_is_the_documented_one() -> None:
    """RIFF with fmt, fact and data; every size is what follows it."""
    assert header(PCMU, 2, 8) == (
        b"RIFF\x3a\0\0\0WAVEfmt \x12\0\0\0\x07\0\x02\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x08\0\0\0"
        b"fact\x04\0\0\0\x04\0\0\0data\x08\0\0\0"
    )
    assert header(L16_16K, 1, 6)[20:24] == b"\x01\0\x01\0"


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask is; nothing that is there is replaced."""
    before = os.umask(0)
    try:
        file = Wav(tmp_path / "a.wav", PCMU, 2)
        file.write(b"\xff\xff")
    finally:
        os.umask(before)
    file.close()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    again = Wav(file.path, PCMU, 2)
    assert not again.write(b"\xff\xff")
    assert again.failure


def test_what_was_lost_is_silence_once_the_disk_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows stands at its time; the loss is known to the sample."""
    file, second = Wav(tmp_path / "a.wav", PCMU, 2), b"\x10\x20" * 8000
    assert file.write(second)
    real = os.pwrite

    def full(descriptor: int, data: bytes, at: int) -> int:
        if len(data) > 100:
            return real(descriptor, data[:1001], at)
        return real(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", full)
    assert not file.write(second)
    assert file.failure == os.strerror(errno.ENOSPC)
    assert soundfile.info(file.path).frames == 8000
    monkeypatch.setattr(os, "pwrite", real)
    outcomes = [file.write(second) for _ in range(7)]
    assert outcomes == [False] * 5 + [True] * 2
    assert file.lost_s == 6
    file.close()
    found = file.path.read_bytes()[58:]
    assert found == second + b"\xff" * 96_000 + second * 2


def test_a_folder_that_is_away_is_looked_for_again(tmp_path: Path) -> None:
    """A disk that is not mounted yet."""
    file = Wav(tmp_path / "calls" / "a.wav", PCMU, 1)
    assert not file.write(b"\x01" * 8000)
    (tmp_path / "calls").mkdir()
    assert [file.write(b"\x01" * 8000) for _ in range(6)] == [False] * 5 + [True]
    file.close()
    assert soundfile.info(file.path).frames == 7 * 8000
