"""A WAV file that grows while a call runs, and plays at any time as far as it was written.

G.711 stands in it as it is (format tags 6 and 7), linear audio as 16-bit PCM. The header is written anew with each
piece, after the audio: a process that is killed leaves a file whose sizes are true.

Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE); RFC 2361, sections A.4 and A.5; the
``fact`` chunk is required where the format is not PCM (Multimedia Standards Update 3.0, 1994).
"""

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

from gateway.audio.formats import AudioFormat, Encoding

FILE_MODE = 0o600
"""A recording holds what people said: it is its owner's alone."""
RETRY_S = 5.0
"""Seconds of audio after which a file that could not be written is tried again."""
FILL = 64 * 1024
_PCM = 1
_TAGS = {Encoding.L16: _PCM, Encoding.PCMA: 6, Encoding.PCMU: 7}
_PCM_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_G711_HEADER = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")
_LARGEST = 0xFFFF_FFFF - 64


class WavFile:
    """One file. What cannot be written is lost and counted, and silence stands for it once the file can be written."""

    def __init__(self, begin: Callable[[], Path], audio_format: AudioFormat, channels: int) -> None:
        """``begin`` returns the path of a file that is not there, in a folder that is; it may raise ``OSError``."""
        self._begin = begin
        self.failure = ""
        """The reason why it could not be written last."""
        self._format = audio_format
        self._channels = channels
        self._block = channels * audio_format.sample_bytes
        self._bytes_per_s = self._block * audio_format.rate_hz
        self._header = len(header(audio_format, channels, 0))
        self._descriptor: int | None = None
        self._written = 0
        self._missing = 0
        self._lost = 0
        self._retry_at = 0

    @property
    def seconds(self) -> float:
        """The length of what is in the file."""
        return self._written / self._bytes_per_s

    @property
    def lost_s(self) -> float:
        """The length of what could not be written."""
        return self._lost / self._bytes_per_s

    def write(self, audio: bytes | bytearray) -> bool:
        """Append whole blocks; return ``False`` where they are lost."""
        if self._missing and self._missing < self._retry_at:
            self._lose(len(audio))
            return False
        try:
            descriptor = self._open() if self._descriptor is None else self._descriptor
            if self._missing:
                self._fill(descriptor)
            self._append(descriptor, audio)
            self._write_header(descriptor)
        except OSError as error:
            self.failure = error.strerror or str(error)
            self._lose(len(audio))
            self._retry_at = self._missing + round(RETRY_S * self._bytes_per_s)
            return False
        return True

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lose(self, size: int) -> None:
        self._missing += size
        self._lost += size

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor = descriptor = os.open(self._begin(), flags, FILE_MODE)
        self._write_header(descriptor)
        return descriptor

    def _fill(self, descriptor: int) -> None:
        """Write silence for what was lost, so that what follows has its time."""
        while self._missing:
            size = min(self._missing, FILL // self._block * self._block)
            self._append(descriptor, self._format.silence_of(size // self._format.sample_bytes))
            self._missing -= size

    def _append(self, descriptor: int, audio: bytes | bytearray) -> None:
        if self._written + len(audio) > _LARGEST:
            raise OSError(errno.EFBIG, "a WAV file holds 4 GiB")
        if os.pwrite(descriptor, audio, self._header + self._written) < len(audio):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._written += len(audio)

    def _write_header(self, descriptor: int) -> None:
        os.pwrite(descriptor, header(self._format, self._channels, self._written), 0)


def header(audio_format: AudioFormat, channels: int, size: int) -> bytes:
    """Return what stands before ``size`` bytes of audio."""
    block = channels * audio_format.sample_bytes
    rate, bits, tag = audio_format.rate_hz, 8 * audio_format.sample_bytes, _TAGS[audio_format.encoding]
    fields = (tag, channels, rate, rate * block, block, bits)
    if tag == _PCM:
        return _PCM_HEADER.pack(b"RIFF", _PCM_HEADER.size - 8 + size, b"WAVE", b"fmt ", 16, *fields, b"data", size)
    rest = (0, b"fact", 4, size // block, b"data", size)
    return _G711_HEADER.pack(b"RIFF", _G711_HEADER.size - 8 + size, b"WAVE", b"fmt ", 18, *fields, *rest)
