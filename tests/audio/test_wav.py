"""WAV files as recorders, phones and pipes write them."""

import struct
from pathlib import Path

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import PCMA, PCMU
from gateway.audio.wav import mulaw_wav_bytes, read_wav, wav_bytes, write_wav
from gateway.errors import RecordingError

RAMP = np.arange(-32_000, 32_000, 100, dtype=np.int16)
SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(kind: bytes, body: bytes) -> bytes:
    """A RIFF chunk, padded to an even size."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def fmt(tag: int, bits: int, channels: int = 1, rate_hz: int = 8_000) -> bytes:
    """A fmt chunk."""
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits))


def riff(*chunks: bytes) -> bytes:
    """A RIFF WAVE file."""
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its WAV."""
    return tmp_path / "a caller.wav"


@pytest.mark.parametrize(
    ("tag", "bits", "data", "step"),
    [
        (1, 8, ((RAMP >> 8) + 128).astype(np.uint8).tobytes(), 256),
        (1, 16, RAMP.tobytes(), 1),
        (1, 24, b"".join(b"\x55" + struct.pack("<h", value) for value in RAMP), 1),
        (1, 32, (RAMP.astype("<i4") * 65_536).tobytes(), 1),
        (3, 32, (RAMP / 32_768).astype("<f4").tobytes(), 1),
        (3, 64, (RAMP / 32_768).astype("<f8").tobytes(), 1),
        (7, 8, g711.encode(RAMP, PCMU), 1_025),
        (6, 8, g711.encode(RAMP, PCMA), 1_025),
    ],
)
def test_every_width_is_read_at_its_level(file: Path, tag: int, bits: int, data: bytes, step: int) -> None:
    """The same ramp comes out of PCM, float and G.711, within one step of the coding."""
    file.write_bytes(riff(fmt(tag, bits), chunk(b"data", data)))
    wav = read_wav(file)
    assert wav.rate_hz == 8_000
    assert wav.mono.dtype == np.int16
    assert np.abs(wav.mono.astype(int) - RAMP).max() < step


def test_float_beyond_full_scale_is_clipped_and_no_number_is_silence(file: Path) -> None:
    """A float WAV may hold anything; nothing wraps round."""
    values = np.array([2.0, -2.0, np.nan, np.inf, 0.5], "<f4")
    file.write_bytes(riff(fmt(3, 32), chunk(b"data", values.tobytes())))
    assert read_wav(file).mono.tolist() == [32_767, -32_768, 0, 32_767, 16_384]


def test_stereo_keeps_its_channels_and_mixes_to_their_mean(file: Path) -> None:
    """Channels are columns; mono is their mean, so that the same voice on both keeps its level."""
    write_wav(file, np.stack([RAMP, RAMP // 2], axis=1), 44_100)
    wav = read_wav(file)
    assert (wav.rate_hz, wav.channels) == (44_100, 2)
    assert np.array_equal(wav.samples[:, 1], RAMP // 2)
    assert wav.mono[0] == -24_000


def test_five_channels_are_read(file: Path) -> None:
    """Any number of channels is read."""
    file.write_bytes(riff(fmt(1, 16, channels=5), chunk(b"data", RAMP.tobytes())))
    assert read_wav(file).samples.shape == (128, 5)


def test_an_extensible_header_names_the_codec_in_its_guid(file: Path) -> None:
    """WAVE_FORMAT_EXTENSIBLE, as 24-bit and multi-channel recorders write it."""
    plain = struct.pack("<HHIIHH", 0xFFFE, 1, 48_000, 96_000, 2, 16)
    extension = struct.pack("<HHIH", 22, 16, 4, 1) + SUBTYPE_TAIL
    file.write_bytes(riff(chunk(b"fmt ", plain + extension), chunk(b"data", RAMP.tobytes())))
    assert np.array_equal(read_wav(file).mono, RAMP)


def test_other_chunks_and_their_padding_are_passed_over(file: Path) -> None:
    """LIST and unknown chunks before and after, one of an odd size, do not shift the audio."""
    chunks = [chunk(b"LIST", b"INFOodd"), fmt(1, 16), chunk(b"fact", b"1234"), chunk(b"data", RAMP.tobytes())]
    file.write_bytes(riff(*chunks, chunk(b"LIST", b"behind")))
    assert np.array_equal(read_wav(file).mono, RAMP)


@pytest.mark.parametrize("size", [0, 0x7FFF_F000, 0xFFFF_FFFF])
def test_a_size_that_a_pipe_left_open_means_the_rest_of_the_file(file: Path, size: int) -> None:
    """ffmpeg and SoX cannot go back to fill in the size when they write to a pipe."""
    header = b"RIFF" + struct.pack("<I", 0xFFFF_FFFF) + b"WAVE" + fmt(1, 16) + b"data" + struct.pack("<I", size)
    file.write_bytes(header + RAMP.tobytes() + b"\x01")
    assert np.array_equal(read_wav(file).mono, RAMP)


@pytest.mark.parametrize("shape", [(640,), (320, 2)])
def test_what_is_written_is_read_back(file: Path, shape: tuple[int, ...]) -> None:
    """Mono and stereo make the round trip bit by bit."""
    write_wav(file, RAMP.reshape(shape), 8_000)
    assert np.array_equal(read_wav(file).samples.reshape(shape), RAMP.reshape(shape))


GOOD = wav_bytes(RAMP, 8_000)
PCM_16 = fmt(1, 16)
AUDIO = chunk(b"data", RAMP.tobytes())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"ID3\x04\x00", "looks like an MP3 file, expected RIFF … WAVE"),
        (b"\0\0\0\x20ftypM4A ", "looks like an MP4 or M4A file"),
        (b"hello, this is text", r"starts with b'hello, this '"),
        (b"RIFF\x04\0\0\0AVI ", "not a WAV file"),
        (GOOD[:20], "20 bytes without its fmt and data chunks"),
        (GOOD[:36], "36 bytes without its data chunk"),
        (GOOD[:-100], "promises 1280 bytes of audio and holds 1180"),
        (riff(PCM_16, chunk(b"data", b"")), "its data chunk is empty"),
        (riff(PCM_16, chunk(b"data", b""), chunk(b"LIST", b"behind")), "its data chunk is empty"),
        (riff(AUDIO, PCM_16), "whose audio comes before its format"),
        (riff(chunk(b"fmt ", b"short"), AUDIO), "fmt chunk of 5 bytes"),
        (riff(fmt(17, 4), AUDIO), "IMA ADPCM of 4 bits; expected PCM of 8, 16"),
        (riff(fmt(0x1234, 16), AUDIO), "format tag 0x1234"),
        (riff(fmt(1, 12), AUDIO), "PCM of 12 bits"),
        (riff(fmt(1, 16, channels=0), AUDIO), "0 channels"),
        (riff(fmt(1, 16, rate_hz=0), AUDIO), "at 0 Hz; expected 1000 to 768000 Hz"),
    ],
)
def test_what_is_no_usable_wav_is_refused_in_one_line(file: Path, content: bytes, message: str) -> None:
    """The line names the file, what was found and what was expected."""
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=message) as caught:
        read_wav(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    """A wrong path is the operator's mistake, not a traceback."""
    with pytest.raises(RecordingError, match=r"nobody\.wav: no such file"):
        read_wav(tmp_path / "nobody.wav")
    with pytest.raises(RecordingError, match="a directory"):
        read_wav(tmp_path)


def test_mulaw_is_written_with_what_every_reader_of_it_needs(file: Path) -> None:
    """A format with the length of its extension, and the number of samples; the levels are those of G.711."""
    stereo = np.stack([RAMP, -RAMP], axis=1)
    content = mulaw_wav_bytes(stereo, 8_000)
    assert content[12:20] == b"fmt " + struct.pack("<I", 18)
    assert content[38:50] == b"fact" + struct.pack("<II", 4, len(RAMP))
    assert struct.unpack_from("<I", content, 4) == (len(content) - 8,)
    file.write_bytes(content)
    wav = read_wav(file)
    assert (wav.rate_hz, wav.channels) == (8_000, 2)
    assert np.abs(wav.samples - stereo.astype(int)).max() <= 1_024
