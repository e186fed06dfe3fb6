"""WAV files whose sizes are wrong."""

import struct
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.audio_file import read_audio
from gateway.audio.wav_chunks import with_true_sizes
from gateway.errors import RecordingError
from tests.audio.riff import chunk, fmt, riff

RAMP = np.arange(-32_000, 32_000, 100, dtype=np.int16)
AUDIO = RAMP.tobytes()
PCM = fmt(1, 16)
GOOD = riff(PCM, chunk(b"data", AUDIO))
OPEN = 0xFFFF_FFFF
SIZES_64 = chunk(b"ds64", struct.pack("<QQQI", len(GOOD) + 28, len(AUDIO), RAMP.size, 0))


def read(tmp_path: Path, content: bytes) -> list[int]:
    """Return the samples of a file with this content."""
    (tmp_path / "a.wav").write_bytes(content)
    return [int(sample) for sample in read_audio(tmp_path / "a.wav").mono]


@pytest.mark.parametrize("size", [2_000_000_000, 2 * len(AUDIO), len(AUDIO) + 44, 0, 0x7FFF_F000, 0x7FFF_EFFF, OPEN])
@pytest.mark.parametrize("riff_size", [None, 0, 2_000_000_000, 2 * len(GOOD), len(GOOD) + 36, len(GOOD) // 2, OPEN])
def test_audio_of_a_wrong_size_is_read_to_the_end(tmp_path: Path, size: int, riff_size: int | None) -> None:
    """A crashed recorder, a pipe, or a header counted twice: whatever the two sizes say, all audio is read."""
    content = riff(PCM, chunk(b"data", AUDIO, size=size), size=riff_size)
    assert read(tmp_path, content) == RAMP.tolist()


def test_a_file_that_was_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """Half a sample at the end is left out."""
    assert read(tmp_path, GOOD[:-101]) == RAMP[:-51].tolist()


def test_a_size_smaller_than_the_file_is_believed(tmp_path: Path) -> None:
    """What follows the audio is no audio."""
    assert read(tmp_path, riff(PCM, chunk(b"data", AUDIO, size=640))) == RAMP[:320].tolist()


def test_an_empty_data_chunk_before_other_chunks_is_empty() -> None:
    """A size of 0 is a placeholder only where no chunks follow it."""
    assert with_true_sizes(riff(PCM, chunk(b"data", b""), chunk(b"LIST", b"tags"))) == riff(PCM, chunk(b"data", b""))


@pytest.mark.parametrize("pad", [True, False])
@pytest.mark.parametrize("before_format", [True, False])
def test_an_odd_chunk_may_lack_its_pad_byte(tmp_path: Path, pad: bool, before_format: bool) -> None:
    """The next chunk begins where a chunk's name stands."""
    odd = chunk(b"LIST", b"INFOodd", pad=pad)
    chunks = (odd, PCM) if before_format else (PCM, odd)
    assert read(tmp_path, riff(*chunks, chunk(b"data", AUDIO))) == RAMP.tolist()


@pytest.mark.parametrize("signature", [b"RF64", b"BW64"])
def test_64_bit_sizes_stand_in_a_chunk_of_their_own(tmp_path: Path, signature: bytes) -> None:
    """EBU Tech 3306 and ITU-R BS.2088: the 32-bit sizes are all ones, and what follows the audio is no audio."""
    data = chunk(b"data", AUDIO, size=OPEN)
    content = riff(SIZES_64, PCM, data, chunk(b"LIST", b"tags"), size=OPEN, signature=signature)
    assert read(tmp_path, content) == RAMP.tolist()


def test_big_endian_files_are_read(tmp_path: Path) -> None:
    """RIFX, as some workstations write it."""
    head = struct.pack(">4sI4s4sIHHIIHH", b"RIFX", 36 + len(AUDIO), b"WAVE", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16)
    content = head + struct.pack(">4sI", b"data", 2 * len(AUDIO)) + RAMP.astype(">i2").tobytes()
    assert read(tmp_path, content) == RAMP.tolist()


@pytest.mark.parametrize(
    "content",
    [GOOD + GOOD, riff(PCM, chunk(b"data", AUDIO) + GOOD), riff(PCM, chunk(b"data", AUDIO), chunk(b"data", AUDIO))],
)
def test_of_several_recordings_in_one_file_the_first_is_read(tmp_path: Path, content: bytes) -> None:
    """As SoX and ffmpeg read such a file."""
    assert read(tmp_path, content) == RAMP.tolist()


def test_the_format_may_follow_the_audio(tmp_path: Path) -> None:
    """Chunks may stand in any order."""
    assert read(tmp_path, riff(chunk(b"data", AUDIO), PCM)) == RAMP.tolist()


def test_a_wrong_block_size_is_corrected(tmp_path: Path) -> None:
    """It follows from width and channels."""
    wrong = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8_000, 0, 7, 16))
    assert read(tmp_path, riff(wrong, chunk(b"data", AUDIO))) == RAMP.tolist()


def test_a_format_that_no_file_can_have_is_refused() -> None:
    """Its sizes would not fit their fields."""
    absurd = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 65_535, 4_000_000_000, 0, 0, 32))
    with pytest.raises(RecordingError, match="65535 channels, 32 bits and 4000000000 Hz"):
        with_true_sizes(riff(absurd, chunk(b"data", AUDIO)))


@pytest.mark.parametrize("tag", [1, 0xFFFE])
@pytest.mark.parametrize("is_high", [True, False])
@pytest.mark.parametrize("channels", [1, 2])
def test_24_bits_may_stand_in_four_bytes(tmp_path: Path, tag: int, is_high: bool, channels: int) -> None:
    """Recorders pad a sample below or above; the width alone would make noise of it."""
    extension = struct.pack("<HHIH", 22, 24, 0, 1) + bytes.fromhex("000000001000800000aa00389b71")
    head = struct.pack("<HHIIHH", tag, channels, 8_000, 32_000 * channels, 4 * channels, 24)
    samples = np.repeat(RAMP, channels).astype("<i4") << (16 if is_high else 8)
    content = riff(chunk(b"fmt ", head + (extension if tag != 1 else b"")), chunk(b"data", samples.tobytes()))
    assert read(tmp_path, content) == RAMP.tolist()


def test_24_bits_in_four_bytes_that_are_neither_are_refused() -> None:
    """Rather than played as noise."""
    head = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8_000, 32_000, 4, 24))
    with pytest.raises(RecordingError, match="24 bits in four bytes that holds neither"):
        with_true_sizes(riff(head, chunk(b"data", np.linspace(1, 9_000, 64).astype("<f4").tobytes())))
