"""Recorded speech: small 8 kHz µ-law WAV files, and the index with the words of each.

index.yaml  the words and the voice of each recording
bot/        what the bot says
caller/     what callers say
__main__    makes the recordings anew

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from gateway.errors import RecordingError

FOLDER = Path(__file__).parent

_RIFF_HEADER = struct.Struct("<4sI4s")
_CHUNK_HEADER = struct.Struct("<4sI")
_FORMAT_MULAW, _RATE_HZ = 7, 8000


@dataclass(frozen=True)
class Prompt:
    """One recording: its file below :data:`FOLDER`, the voice of flite or espeak-ng that said it, and the words."""

    file: str
    voice: str
    text: str

    @property
    def path(self) -> Path:
        """The path of the recording."""
        return FOLDER / self.file


@cache
def prompts() -> tuple[Prompt, ...]:
    """Return everything in the index, in its order."""
    entries = YAML(typ="safe").load((FOLDER / "index.yaml").read_text(encoding="utf-8"))
    return tuple(Prompt(**entry) for entry in entries)


@cache
def bot_prompts() -> dict[str, Prompt]:
    """Return the bot's recordings by their exact words."""
    return {prompt.text: prompt for prompt in prompts() if prompt.file.startswith("bot/")}


def caller_prompt(name: str) -> Prompt | None:
    """Return the caller's recording of that name, without folder and ``.wav``; None where there is none."""
    return next((prompt for prompt in caller_prompts() if prompt.path.stem == name), None)


def caller_prompts() -> list[Prompt]:
    """Return the recordings of callers, in the order of the index."""
    return [prompt for prompt in prompts() if prompt.file.startswith("caller/")]


def words_of(recording: bytes) -> str | None:
    """Return what the caller says in the content of a recording of ours; None for anybody else's."""
    return next((prompt.text for prompt in caller_prompts() if prompt.path.read_bytes() == recording), None)


def read_mulaw(path: Path) -> bytes:
    """Read the µ-law samples of one of these recordings (8 kHz, mono, WAV format 7), or raise RecordingError."""
    data = path.read_bytes()
    offset = _RIFF_HEADER.size
    described = False
    while offset + _CHUNK_HEADER.size <= len(data):
        name, size = _CHUNK_HEADER.unpack_from(data, offset)
        body = data[offset + _CHUNK_HEADER.size : offset + _CHUNK_HEADER.size + size]
        if name == b"fmt ":
            described = struct.unpack_from("<HHI", body) == (_FORMAT_MULAW, 1, _RATE_HZ)
        elif name == b"data" and described:
            return body
        offset += _CHUNK_HEADER.size + size + size % 2
    raise RecordingError(f"{path}: expected a mono 8 kHz µ-law WAV file")


def write_mulaw(path: Path, mulaw: bytes) -> None:
    """Write µ-law samples as the WAV file that :func:`read_mulaw` reads."""
    described = struct.pack("<HHIIHHH", _FORMAT_MULAW, 1, _RATE_HZ, _RATE_HZ, 1, 8, 0)
    chunks = b"".join(
        _CHUNK_HEADER.pack(name, len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in ((b"fmt ", described), (b"fact", struct.pack("<I", len(mulaw))), (b"data", mulaw))
    )
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_RIFF_HEADER.pack(b"RIFF", 4 + len(chunks), b"WAVE") + chunks)
