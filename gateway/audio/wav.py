"""WAV files (RIFF WAVE): whatever a recorder writes is read, 16-bit PCM is written.

Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE); Microsoft ``mmreg.h`` (format
tags, WAVE_FORMAT_EXTENSIBLE).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from gateway.audio import g711
from gateway.audio.formats import PCMA, PCMU
from gateway.audio.g711 import Samples
from gateway.errors import RecordingError

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SUPPORTED = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _ALAW: (8,), _MULAW: (8,)}
_EXPECTED = "expected PCM of 8, 16, 24 or 32 bits, float of 32 or 64 bits, or G.711"
_TAG_NAMES = {
    2: "Microsoft ADPCM",
    17: "IMA ADPCM",
    49: "GSM 6.10",
    80: "MPEG",
    85: "MP3",
    _FLOAT: "float",
    _PCM: "PCM",
}
_SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the tag in the GUIDs KSDATAFORMAT_SUBTYPE_*."""
_UNFINISHED = 0x7FFF_F000
"""From here on a size is a placeholder: ffmpeg leaves 0xFFFFFFFF, SoX 0x7FFFF000, when they write to a pipe."""
_RATES_HZ = range(1_000, 768_001)
_SIGNATURES = {
    b"ID3": "an MP3 file",
    b"\xff\xfb": "an MP3 file",
    b"\xff\xf3": "an MP3 file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"FORM": "an AIFF file",
    b"#!AMR": "an AMR file",
    b"RF64": "an RF64 file",
    b"RIFX": "a big-endian RIFX file",
    b".snd": "a Sun audio file",
}


@dataclass(frozen=True)
class Wav:
    """What a WAV file held: 16-bit ``samples`` of shape ``(n, channels)`` at ``rate_hz``."""

    samples: npt.NDArray[np.int16]
    rate_hz: int

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[1])

    @property
    def mono(self) -> Samples:
        """The mean of all channels."""
        mean: Samples = np.rint(self.samples.mean(axis=1)).astype(np.int16)
        return mean


@dataclass(frozen=True)
class _Format:
    tag: int
    channels: int
    rate_hz: int
    bits: int


def read_wav(path: Path | str) -> Wav:
    """The audio of a WAV file of any rate, width and number of channels.

    PCM of 8, 16, 24 and 32 bits, float, and G.711. A data chunk whose size was never filled in (0, or 0x7FFFF000
    and above) is read to the end of the file. Raises ``RecordingError`` for a file that is missing, empty, cut
    short, not a WAV, or in another codec.
    """
    path = Path(path)
    content = read_bytes(path)
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        _refuse(path, f"not a WAV file: it {_appearance(content)}, expected RIFF … WAVE")
    wave_format, data = _chunks(path, content)
    samples = _decode(data, wave_format)
    if not samples.size:
        _refuse(path, "a WAV file without audio: its data chunk is empty")
    return Wav(samples.reshape(-1, wave_format.channels), wave_format.rate_hz)


def write_wav(path: Path | str, samples: npt.NDArray[np.int16], rate_hz: int) -> None:
    """Write 16-bit PCM; ``samples`` of shape ``(n,)`` are mono, ``(n, 2)`` stereo, the left channel first."""
    Path(path).write_bytes(wav_bytes(samples, rate_hz))


def wav_bytes(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    """The content of the file that :func:`write_wav` writes."""
    return _wav(_Format(_PCM, _channels(samples), rate_hz, 16), samples.astype("<i2").tobytes())


def mulaw_wav_bytes(samples: npt.NDArray[np.int16], rate_hz: int) -> bytes:
    """The same in G.711 µ-law, half as large."""
    return _wav(_Format(_MULAW, _channels(samples), rate_hz, 8), g711.encode(samples.reshape(-1), PCMU))


def _channels(samples: npt.NDArray[np.int16]) -> int:
    return samples.shape[1] if samples.ndim == 2 else 1


def _wav(wave_format: _Format, data: bytes) -> bytes:
    block = wave_format.channels * wave_format.bits // 8
    rate_hz = wave_format.rate_hz
    fmt = struct.pack(
        "<HHIIHH", wave_format.tag, wave_format.channels, rate_hz, rate_hz * block, block, wave_format.bits
    )
    chunks = [(b"fmt ", fmt), (b"data", data)]
    if wave_format.tag != _PCM:  # every other format says how long its extension is, and how long it lasts
        chunks = [(b"fmt ", fmt + bytes(2)), (b"fact", struct.pack("<I", len(data) // block)), (b"data", data)]
    body = b"WAVE" + b"".join(kind + struct.pack("<I", len(chunk)) + chunk for kind, chunk in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def read_bytes(path: Path) -> bytes:
    """The content of a recording; a file that cannot be read, or holds nothing, is a ``RecordingError``."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        _refuse(path, "no such file; expected a recording")
    except IsADirectoryError:
        _refuse(path, "a directory; expected a recording")
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror}); expected a recording")
    if not content:
        _refuse(path, "an empty file; expected a recording")
    return content


def _refuse(path: Path, what: str) -> NoReturn:
    raise RecordingError(f"{path}: {what}") from None


def _appearance(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return "looks like an MP4 or M4A file"
    for signature, name in _SIGNATURES.items():
        if content.startswith(signature):
            return f"looks like {name}"
    return f"starts with {content[:12]!r}"


def _chunks(path: Path, content: bytes) -> tuple[_Format, bytes]:
    """The format and the audio bytes; chunks of other kinds are passed over, each padded to an even size."""
    wave_format: _Format | None = None
    offset = 12
    while offset + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, offset)
        body = content[offset + 8 : offset + 8 + size]
        if kind == b"fmt " and len(body) == size:
            wave_format = _format(path, body)
        elif kind == b"data":
            if wave_format is None:
                _refuse(path, "a WAV file whose audio comes before its format; expected a fmt chunk first")
            return wave_format, _audio(path, content, offset + 8, size)
        offset += 8 + size + size % 2
    missing = "its data chunk" if wave_format else "its fmt and data chunks"
    _refuse(path, f"a truncated WAV file: {len(content)} bytes without {missing}")


def _audio(path: Path, content: bytes, start: int, size: int) -> bytes:
    there = len(content) - start
    (riff_size,) = struct.unpack_from("<I", content, 4)
    if size >= _UNFINISHED or (size == 0 and riff_size + 8 != len(content)):
        return content[start:]
    if size > there:
        _refuse(path, f"a truncated WAV file: it promises {size} bytes of audio and holds {there}")
    return content[start : start + size]


def _format(path: Path, body: bytes) -> _Format:
    if len(body) < 16:
        _refuse(path, f"a WAV file with a fmt chunk of {len(body)} bytes; expected at least 16")
    tag, channels, rate_hz, _, block, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 40 and body[26:40] == _SUBTYPE_TAIL:
        (tag,) = struct.unpack_from("<H", body, 24)
    if bits not in _SUPPORTED.get(tag, ()):
        name = _TAG_NAMES.get(tag, f"format tag {tag:#06x}")
        _refuse(path, f"a WAV file in {name} of {bits} bits; {_EXPECTED}")
    if not channels or block != channels * bits // 8:
        _refuse(path, f"a WAV file with {channels} channels of {bits} bits in blocks of {block} bytes")
    if rate_hz not in _RATES_HZ:
        _refuse(path, f"a WAV file at {rate_hz} Hz; expected {_RATES_HZ[0]} to {_RATES_HZ[-1]} Hz")
    return _Format(tag, channels, rate_hz, bits)


def _decode(data: bytes, wave_format: _Format) -> npt.NDArray[np.int16]:
    """Samples of all channels, interleaved; a part of a sample at the end is left out."""
    data = data[: len(data) - len(data) % (wave_format.channels * wave_format.bits // 8)]
    match wave_format.tag, wave_format.bits:
        case 7, _:
            return g711.decode(data, PCMU)
        case 6, _:
            return g711.decode(data, PCMA)
        case 3, bits:
            return _from_float(np.frombuffer(data, f"<f{bits // 8}"))
        case _, 8:
            return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) * np.int16(256)
        case _, 24:
            return np.frombuffer(data, np.uint8).reshape(-1, 3)[:, 1:].copy().view("<i2")[:, 0]
        case _, 32:
            return (np.frombuffer(data, "<i4") >> 16).astype(np.int16)
        case _:
            return np.frombuffer(data, "<i2")


def _from_float(values: npt.NDArray[np.floating]) -> npt.NDArray[np.int16]:
    whole = np.nan_to_num(values.astype(np.float64).clip(-1, 1), nan=0.0)
    samples: Samples = np.clip(np.rint(whole * 32768), -32768, 32767).astype(np.int16)
    return samples
