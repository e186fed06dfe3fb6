"""Audio files as recorders, phones, pipes and editors write them."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio import g711
from gateway.audio.audio_file import Channel, read_audio
from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.audio.g711 import Samples
from gateway.audio.wav import wav_bytes, write_wav
from gateway.errors import RecordingError
from tests.audio.riff import chunk, fmt, riff

RAMP = np.arange(-32_000, 32_000, 100, dtype=np.int16)
TONE = (np.sin(np.arange(16_000) * 0.3) * 8_000).astype(np.int16)
SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a test writes its recording."""
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
    audio = read_audio(file)
    assert audio.rate_hz == 8_000
    assert audio.mono.dtype == np.int16
    assert np.abs(audio.mono.astype(int) - RAMP).max() < step


@pytest.mark.parametrize(("tag", "coding"), [(7, PCMU), (6, PCMA)])
def test_g711_in_a_wav_is_decoded_as_on_the_wire(file: Path, tag: int, coding: AudioFormat) -> None:
    """Each of the 256 values is the sample that our own table gives."""
    values = bytes(range(256))
    file.write_bytes(riff(fmt(tag, 8), chunk(b"data", values)))
    assert np.array_equal(read_audio(file).mono, g711.decode(values, coding))


def test_float_beyond_full_scale_is_clipped_and_no_number_is_silence(file: Path) -> None:
    """A float WAV may hold anything; nothing wraps round."""
    values = np.array([2.0, -2.0, np.nan, np.inf, 0.5], "<f4")
    file.write_bytes(riff(fmt(3, 32), chunk(b"data", values.tobytes())))
    assert read_audio(file).mono.tolist() == [32_767, -32_768, 0, 32_767, 16_384]


def test_stereo_keeps_its_channels_and_mixes_to_their_mean(file: Path) -> None:
    """Channels are columns; mono is their mean, so that the same voice on both keeps its level."""
    write_wav(file, np.stack([RAMP, RAMP // 2], axis=1), 44_100)
    audio = read_audio(file)
    assert (audio.rate_hz, audio.channels) == (44_100, 2)
    assert np.array_equal(audio.channel(Channel.LEFT), RAMP)
    assert np.array_equal(audio.channel(Channel.RIGHT), RAMP // 2)
    assert audio.mono[0] == audio.channel(Channel.MIX)[0] == -24_000


@pytest.mark.parametrize(
    ("left", "right", "two_sides"),
    [
        (TONE, TONE, False),
        (TONE, -TONE // 2, False),
        (TONE, np.zeros_like(TONE), False),
        (np.where(np.arange(16_000) < 8_000, TONE, 0), np.where(np.arange(16_000) < 8_000, 0, TONE), True),
    ],
)
def test_a_recorded_call_has_two_sides(file: Path, left: Samples, right: Samples, two_sides: bool) -> None:
    """Who speaks in turn is on two channels; one sound on both, or on one alone, is not."""
    write_wav(file, np.stack([left, right], axis=1).astype(np.int16), 8_000)
    assert read_audio(file).has_two_sides is two_sides


def test_five_channels_are_read(file: Path) -> None:
    """Any number of channels is read."""
    file.write_bytes(riff(fmt(1, 16, channels=5), chunk(b"data", RAMP.tobytes())))
    assert read_audio(file).samples.shape == (128, 5)


def test_an_extensible_header_names_the_codec_in_its_guid(file: Path) -> None:
    """WAVE_FORMAT_EXTENSIBLE, as 24-bit and multi-channel recorders write it."""
    plain = struct.pack("<HHIIHH", 0xFFFE, 1, 48_000, 96_000, 2, 16)
    extension = struct.pack("<HHIH", 22, 16, 4, 1) + SUBTYPE_TAIL
    file.write_bytes(riff(chunk(b"fmt ", plain + extension), chunk(b"data", RAMP.tobytes())))
    assert np.array_equal(read_audio(file).mono, RAMP)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AIFF", "PCM_16"),
        ("AU", "ULAW"),
        ("CAF", "ALAC_16"),
        ("W64", "PCM_16"),
        ("RF64", "PCM_16"),
        ("WAV", "GSM610"),
        ("WAV", "MS_ADPCM"),
        ("WAV", "IMA_ADPCM"),
        ("WAV", "ALAW"),
    ],
)
def test_what_editors_and_phone_systems_write_is_read(tmp_path: Path, kind: str, subtype: str) -> None:
    """As long and as loud as what was written, under any name; lossy codecs add a block at most."""
    written = io.BytesIO()
    soundfile.write(written, TONE, 8_000, format=kind, subtype=subtype)
    (tmp_path / "voicemail").write_bytes(written.getvalue())
    audio = read_audio(tmp_path / "voicemail")
    assert audio.samples.shape[0] * 8_000 / audio.rate_hz == pytest.approx(TONE.size, abs=1_300)
    assert np.sqrt((audio.mono.astype(float) ** 2).mean()) == pytest.approx(5_650, rel=0.12)


def test_a_lossy_recording_at_full_scale_does_not_wrap(tmp_path: Path) -> None:
    """What the codec overshoots is clipped: a loud sample never becomes one of the other sign."""
    square = np.where(np.arange(16_000) // 40 % 2, 32_767, -32_768).astype(np.int16)
    soundfile.write(tmp_path / "loud.ogg", square, 8_000, format="OGG", subtype="VORBIS")
    samples = read_audio(tmp_path / "loud.ogg").mono[: square.size].astype(int)
    assert samples.max() == 32_767
    jumps = np.abs(np.diff(samples[2_000:2_030]))
    assert jumps.max() < 20_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"\0\0\0\x20ftypM4A ", "looks like an MP4 or M4A file; expected WAV, FLAC, Ogg, MP3 or AIFF"),
        (b"#!AMR\n" + bytes(64), "looks like an AMR file"),
        (b"ID3\x04\x00", r"looks like an MP3 file, cut off or damaged \(.*\); expected WAV, FLAC"),
        (b"fLaC" + bytes(20), r"looks like a FLAC file, cut off or damaged \(.*\); expected WAV, FLAC"),
        (b"\n<!DOCTYPE html>", "no recording, but a web page or an XML file; expected WAV"),
        (b'{"error": "not found"}', "no recording, but a JSON file; expected WAV"),
        (b"PK\x03\x04" + bytes(40), "no recording, but a ZIP archive: unpack it first; expected WAV"),
        (b"\x1f\x8b\x08\x00" + bytes(40), "no recording, but a gzip file: unpack it first; expected WAV"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git LFS has not fetched: git lfs pull; expected WAV"),
        (b"UklGRiR9AABXQVZF", "no recording, but a WAV file in base64: decode it first; expected WAV"),
        (b"hello, this is text", r"starts with b'hello, this '"),
        (b"RIFF\x04\0\0\0AVI ", r"starts with b'RIFF"),
        (wav_bytes(RAMP, 8_000)[:20], "20 bytes without its fmt and data chunks"),
        (wav_bytes(RAMP, 8_000)[:36], "36 bytes without its data chunk"),
        (riff(fmt(1, 16), chunk(b"data", b"")), "without audio"),
        (riff(fmt(1, 16), chunk(b"data", b""), chunk(b"LIST", b"behind")), "without audio"),
        (riff(chunk(b"fmt ", b"short"), chunk(b"data", RAMP.tobytes())), "fmt chunk of 5 bytes; expected at least 16"),
        (riff(fmt(0x0065, 8), chunk(b"data", RAMP.tobytes())), "a WAV file in G.722 that cannot be read"),
        (riff(fmt(0x1234, 16), chunk(b"data", RAMP.tobytes())), "a format with the tag 0x1234"),
        (riff(fmt(1, 16, channels=0), chunk(b"data", RAMP.tobytes())), "with 0 channels at 8000 Hz; expected at"),
        (riff(fmt(1, 16, rate_hz=0), chunk(b"data", RAMP.tobytes())), "with 1 channels at 0 Hz; expected at"),
        (riff(fmt(1, 16, rate_hz=10), chunk(b"data", RAMP.tobytes())), "at 10 Hz; expected 1000 to 768000 Hz"),
    ],
)
def test_what_is_no_usable_recording_is_refused_in_one_line(file: Path, content: bytes, message: str) -> None:
    """The line names the file, what was found and what was expected."""
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=message) as caught:
        read_audio(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a.sln", "ffmpeg -f s16le -ar 8000 -ac 1 -i a.sln -c:a pcm_s16le a-pcm.wav"),
        ("-a.vox", "ffmpeg -i ./-a.vox -c:a pcm_s16le ./-a-pcm.wav"),
        ("größe 1.g722", "ffmpeg -i 'größe 1.g722' -c:a pcm_s16le 'größe 1-pcm.wav'"),
    ],
)
def test_the_command_fits_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, command: str) -> None:
    """Samples without a header need their format; a dash in front is no option."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"\x55" * 320)
    with pytest.raises(RecordingError) as refused:
        read_audio(name)
    assert str(refused.value).endswith(f"To convert it: {command}")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_what_has_no_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device, or a pipe whose writer goes on."""
    monkeypatch.setattr("gateway.audio.audio_file._MOST_BYTES", 1 << 20)
    with pytest.raises(RecordingError, match="/dev/zero: more than"):
        read_audio("/dev/zero")


def test_a_refusal_says_what_to_type(tmp_path: Path) -> None:
    """The command converts the very file, whatever its name."""
    file = tmp_path / "a caller.m4a"
    file.write_bytes(b"\0\0\0\x20ftypM4A ")
    with pytest.raises(RecordingError, match=r"ffmpeg -i '.*/a caller\.m4a' -c:a pcm_s16le '.*/a caller-pcm\.wav'"):
        read_audio(file)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    """A wrong path is the operator's mistake, not a traceback."""
    with pytest.raises(RecordingError, match=r"nobody\.wav: no such file"):
        read_audio(tmp_path / "nobody.wav")
    with pytest.raises(RecordingError, match="a directory"):
        read_audio(tmp_path)


@given(place=st.integers(0, 43), value=st.integers(0, 255))
def test_any_byte_of_the_header_may_be_wrong(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    """A damaged header is read or refused; it never becomes a traceback, nor more audio than the file holds."""
    content = bytearray(wav_bytes(RAMP, 8_000))
    content[place] = value
    file = tmp_path_factory.mktemp("damaged") / "a.wav"
    file.write_bytes(content)
    try:
        audio = read_audio(file)
    except RecordingError as error:
        assert str(error).startswith(f"{file}: ")
    else:
        assert audio.samples.size <= 4 * RAMP.size
