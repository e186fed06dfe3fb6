"""Read an audio file of any kind that libsndfile knows: WAV, FLAC, Ogg Vorbis and Opus, MP3, AIFF, AU, CAF, W64.

The sizes of WAV files are corrected first (:mod:`gateway.audio.wav_chunks`), so that the same files are read as players
read as well. Source: libsndfile's list of formats (libsndfile.github.io/libsndfile/formats.html).
"""

import enum
import io
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import soundfile

from gateway.audio.g711 import Samples
from gateway.audio.wav_chunks import format_tag, is_wav, with_true_sizes
from gateway.errors import RecordingError

_READ_AS_FLOAT = frozenset({"FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"})
"""Codecs whose values may exceed full scale: they are clipped here, where libsndfile would wrap or round to 0."""
_BLOCK = 65_536
"""Samples of each channel that are read at a time."""
_RATES_HZ = range(1_000, 768_001)
_SAME_SOUND = 0.5
"""Correlation of two channels from which on they are one sound, as two microphones in a room record it."""
_MOST_BYTES = 1 << 30
"""The largest file that is read: hours of speech. A device such as /dev/zero has no end."""
_CODECS = {
    0x0001: "PCM",
    0x0003: "floating point",
    0x0055: "MP3",
    0x0038: "G.728",
    0x0045: "G.726",
    0x0064: "G.726",
    0x0065: "G.722",
    0x0161: "Windows Media Audio",
    0x028F: "G.722",
    0x0083: "G.729",
    0x0042: "G.723.1",
}
"""Names of WAV format tags (``mmreg.h``) that telephone systems write and libsndfile does not read."""
_SIGNATURES = {
    b"ID3": "an MP3 file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"#!AMR": "an AMR file",
    b"\x1aE\xdf\xa3": "a WebM or Matroska file",
    b"wvpk": "a WavPack file",
    b"\x30\x26\xb2\x75": "a Windows Media file",
    b"MAC ": "a Monkey's Audio file",
    b"ADIF": "an AAC file",
    b"\xff\xf1": "an AAC file",
    b"\xff\xf9": "an AAC file",
}
_READABLE = ("an MP3", "an Ogg", "a FLAC")
_NO_AUDIO = {
    b"<": "a web page or an XML file",
    b"{": "a JSON file",
    b"PK\x03\x04": "a ZIP archive: unpack it first",
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"version https://git-lfs": "a pointer to a file that git LFS has not fetched: git lfs pull",
    b"UklGR": "a WAV file in base64: decode it first",
}
"""The first bytes of files that people take for recordings, and that no converter reads."""
_HEADERLESS = frozenset({".raw", ".pcm", ".sln", ".slin"})
"""Names of files that hold samples alone, usually 16-bit at 8 kHz: a converter needs both as options."""
_EXPECTED = "expected WAV, FLAC, Ogg, MP3 or AIFF"


class Channel(enum.StrEnum):
    """The part of a stereo recording that is played."""

    LEFT = "left"
    RIGHT = "right"
    MIX = "mix"
    """The mean of all channels."""


@dataclass(frozen=True)
class AudioFile:
    """The content of an audio file: 16-bit ``samples`` of shape ``(n, channels)`` at ``rate_hz``."""

    samples: npt.NDArray[np.int16]
    rate_hz: int

    @property
    def channels(self) -> int:
        """The number of channels."""
        return int(self.samples.shape[1])

    @property
    def mono(self) -> Samples:
        """The mean of all channels."""
        mean: Samples = np.rint(self.samples.mean(axis=1)).astype(np.int16)
        return mean

    @property
    def has_two_sides(self) -> bool:
        """True if two channels hold different sounds, as a recorded phone call does: caller here, bot there."""
        if self.channels != 2 or not self.samples.any(axis=0).all():
            return False
        left, right = self.samples.astype(np.float64).T
        similarity = abs(left @ right) / np.sqrt((left @ left) * (right @ right))
        return bool(similarity < _SAME_SOUND)

    def channel(self, which: Channel) -> Samples:
        """Return one channel, or all of them mixed; ``IndexError`` where there is no such channel."""
        if which is Channel.MIX:
            return self.mono
        return np.ascontiguousarray(self.samples[:, 0 if which is Channel.LEFT else 1])


def read_audio(path: Path | str, *, also: str = "") -> AudioFile:
    """Read an audio file of any rate, width and number of channels.

    The content decides what a file is, not its name. ``also`` names what else the caller of this function accepts, for
    the refusal. Raises ``RecordingError`` for a file that is missing, empty, without audio, or of a kind or codec
    that cannot be read; it says how to convert one.
    """
    path = Path(path)
    content = read_bytes(path)
    try:
        content = with_true_sizes(content) if is_wav(content) else content
        samples, rate_hz = _decoded(content)
    except RecordingError as error:
        _refuse(path, str(error))
    except soundfile.LibsndfileError as error:
        for signature, what in _NO_AUDIO.items():
            if content.lstrip().startswith(signature):
                _refuse(path, f"no recording, but {what}; {_EXPECTED}{also}")
        _refuse(path, f"{_appearance(content, error)}; {_EXPECTED}{also}. {_conversion(path)}")
    if not samples.size:
        _refuse(path, "an audio file without audio")
    if rate_hz not in _RATES_HZ:
        _refuse(path, f"an audio file at {rate_hz} Hz; expected {_RATES_HZ[0]} to {_RATES_HZ[-1]} Hz")
    return AudioFile(samples, rate_hz)


def read_bytes(path: Path) -> bytes:
    """Return the content of a recording; ``RecordingError`` where it cannot be read, or is empty."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        _refuse(path, "no such file; expected a recording")
    except IsADirectoryError:
        _refuse(path, "a directory; expected a recording")
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror}); expected a recording")
    if len(content) > _MOST_BYTES:
        _refuse(path, f"more than {_MOST_BYTES >> 20} MiB; expected a recording of less")
    if not content:
        _refuse(path, "an empty file; expected a recording")
    return content


def _decoded(content: bytes) -> tuple[npt.NDArray[np.int16], int]:
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        read_as = "float64" if file.subtype in _READ_AS_FLOAT else "int16"
        blocks = []
        while (block := file.read(_BLOCK, dtype=read_as, always_2d=True)).size:  # a header may promise terabytes
            blocks.append(_from_float(block) if read_as == "float64" else block)
        return np.concatenate(blocks) if blocks else np.zeros((0, 1), np.int16), file.samplerate


def _from_float(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    whole = np.nan_to_num(values.clip(-1, 1), nan=0.0)
    samples: npt.NDArray[np.int16] = np.clip(np.rint(whole * 32768), -32768, 32767).astype(np.int16)
    return samples


def _refuse(path: Path, what: str) -> NoReturn:
    raise RecordingError(f"{path}: {what}") from None


def _appearance(content: bytes, error: soundfile.LibsndfileError) -> str:
    if is_wav(content):
        tag = format_tag(content)
        codec = _CODECS.get(tag, f"a format with the tag {tag:#06x}")
        return f"a WAV file in {codec} that cannot be read ({error.error_string.rstrip('.')})"
    if content[4:8] == b"ftyp":
        return "not a recording that can be read: it looks like an MP4 or M4A file"
    for signature, name in _SIGNATURES.items():
        if content.startswith(signature):
            damaged = f", cut off or damaged ({error.error_string.rstrip('.')})" if name.startswith(_READABLE) else ""
            return f"not a recording that can be read: it looks like {name}{damaged}"
    return f"not a recording that can be read: it starts with {content[:12]!r}"


def _conversion(path: Path) -> str:
    given, converted = (_typed(file) for file in (path, path.with_name(f"{path.stem}-pcm.wav")))
    kind = "-f s16le -ar 8000 -ac 1 " if path.suffix.lower() in _HEADERLESS else ""
    return f"To convert it: ffmpeg {kind}-i {given} -c:a pcm_s16le {converted}"


def _typed(file: Path) -> str:
    """Return a file as it is typed in a shell; one whose name begins with a dash is no option."""
    return shlex.quote(f"./{file}" if str(file).startswith("-") else str(file))
