"""Find the format and the audio in a WAV file whose sizes may be wrong, and write them anew with right ones.

Recorders that crash, pipes and telephone systems leave sizes that are 0, placeholders, or too large by a header; some
forget the pad byte of an odd chunk. Players read such files, and libsndfile refuses some of them. What follows from
here has one ``fmt`` and one ``data`` chunk whose sizes are true.

Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE); EBU Tech 3306 (RF64) and ITU-R
BS.2088 (BW64): the 64-bit size of the audio is in a ``ds64`` chunk.
"""

import struct
from collections.abc import Iterator

import numpy as np

from gateway.errors import RecordingError

_SIGNATURES = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">"}
"""The first four bytes, and the byte order of what follows."""
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_FIXED_WIDTH = frozenset({_PCM, _FLOAT, _ALAW, _MULAW})
_NOT_FILLED_IN = 0xFFFF_FFFF
_FMT_BYTES = 16


def is_wav(content: bytes) -> bool:
    """Return whether ``content`` begins as a WAV file of any kind does."""
    return content[:4] in _SIGNATURES and content[8:12] == b"WAVE"


def with_true_sizes(content: bytes) -> bytes:
    """Return a WAV file of the same format and audio, of which every size is true.

    Audio that ends before its stated size is taken up to the end of the file, as SoX and ffmpeg do; of several WAV
    files in one, the first is read. Raises ``RecordingError`` where there is no format, or no audio.
    """
    order = _SIGNATURES[content[:4]]
    fmt, audio = b"", None
    for kind, start, size in _chunks(content, order):
        if kind == b"fmt " and not fmt:
            fmt = content[start : start + size]
        elif kind == b"data" and audio is None:
            audio = content[start : start + size]
        if fmt and audio is not None:
            fmt, audio = _packed(_true_block(fmt, order), fmt, audio, order)
            return _wav(content[:4] if order == ">" else b"RIFF", fmt, audio, order)
    missing = "its data chunk" if fmt else "its fmt chunk" if audio is not None else "its fmt and data chunks"
    raise RecordingError(f"a truncated WAV file: {len(content)} bytes without {missing}")


def format_tag(content: bytes) -> int:
    """Return the format tag (``mmreg.h``) of what :func:`with_true_sizes` returned."""
    tag: int = struct.unpack_from(_SIGNATURES[content[:4]] + "H", content, 20)[0]
    return tag


def _chunks(content: bytes, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each chunk, where its body begins, and how many bytes of that are there."""
    offset, long_size = 12, 0
    while offset + 8 <= len(content):
        kind, size = struct.unpack_from(order + "4sI", content, offset)
        start = offset + 8
        if kind == b"ds64" and start + 16 <= len(content):
            (long_size,) = struct.unpack_from("<Q", content, start + 8)
        if kind == b"data":
            size = _audio_size(content, order, start, long_size if size == _NOT_FILLED_IN and long_size else size)
        yield kind, start, min(size, len(content) - start)
        offset = _next_chunk(content, start + size, size)


def _audio_size(content: bytes, order: str, start: int, size: int) -> int:
    """Return the stated size, or what is left of the file where a recorder did not fill it in."""
    if size or _holds_chunks(content, order, start):
        return size
    return len(content) - start


def _holds_chunks(content: bytes, order: str, offset: int) -> bool:
    """Return whether chunks follow up to the very end of the file, or nothing at all."""
    while offset + 8 <= len(content):
        kind, size = struct.unpack_from(order + "4sI", content, offset)
        if not _is_kind(kind):
            return False
        offset += 8 + size + size % 2
    return offset >= len(content)


def _next_chunk(content: bytes, end: int, size: int) -> int:
    """Return where the next chunk begins: after the pad byte of an odd one, unless its writer forgot that."""
    padded = end + size % 2
    if size % 2 and not _is_kind(content[padded : padded + 4]) and _is_kind(content[end : end + 4]):
        return end
    return padded


def _is_kind(name: bytes) -> bool:
    """Return whether the four bytes can be the name of a chunk: printable ASCII."""
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def _true_block(fmt: bytes, order: str) -> bytes:
    """Return the format with the size of a block and the bytes a second that follow from its width and channels."""
    if len(fmt) < _FMT_BYTES:
        raise RecordingError(f"a WAV file with a fmt chunk of {len(fmt)} bytes; expected at least {_FMT_BYTES}")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from(order + "HHIIHH", fmt)
    if not channels or not rate_hz:
        raise RecordingError(f"a WAV file with {channels} channels at {rate_hz} Hz; expected at least one and 1000 Hz")
    if tag not in _FIXED_WIDTH or bits % 8:
        return fmt
    block = channels * bits // 8
    if block > 0xFFFF or rate_hz * block > 0xFFFF_FFFF:
        raise RecordingError(f"a WAV file of {channels} channels, {bits} bits and {rate_hz} Hz")
    return struct.pack(order + "HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits) + fmt[_FMT_BYTES:]


def _packed(fmt: bytes, written: bytes, audio: bytes, order: str) -> tuple[bytes, bytes]:
    """Return format and audio of 24-bit samples that stand in four bytes each, which their width alone does not show.

    The samples show where in the four bytes they stand: the highest byte always repeats the sign, or the lowest is 0.
    """
    tag, channels, _, _, _, bits = struct.unpack_from(order + "HHIIHH", fmt)
    (block,) = struct.unpack_from(order + "H", written, 12)
    if tag not in (_PCM, _EXTENSIBLE) or bits != 24 or block != 4 * channels:
        return fmt, audio
    four = np.frombuffer(audio[: len(audio) // 4 * 4], np.uint8).reshape(-1, 4)
    four = four if order == "<" else four[:, ::-1]
    if (four[:, 3] == np.where(four[:, 2] & 0x80, 0xFF, 0)).all():
        three = four[:, :3]
    elif not four[:, 0].any():
        three = four[:, 1:]
    else:
        raise RecordingError("a WAV file of 24 bits in four bytes that holds neither; expected three bytes a sample")
    return _block_of_three(fmt, order), (three if order == "<" else three[:, ::-1]).tobytes()


def _block_of_three(fmt: bytes, order: str) -> bytes:
    tag, channels, rate_hz, _, _, bits = struct.unpack_from(order + "HHIIHH", fmt)
    return struct.pack(order + "HHIIHH", tag, channels, rate_hz, rate_hz * 3 * channels, 3 * channels, bits) + fmt[16:]


def _wav(signature: bytes, fmt: bytes, audio: bytes, order: str) -> bytes:
    body = b"WAVE" + b"".join(
        kind + struct.pack(order + "I", len(chunk)) + chunk + bytes(len(chunk) % 2)
        for kind, chunk in ((b"fmt ", fmt), (b"data", audio))
    )
    return signature + struct.pack(order + "I", len(body)) + body
