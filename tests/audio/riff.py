"""RIFF files, piece by piece."""

import struct


def chunk(kind: bytes, body: bytes, *, size: int | None = None, pad: bool = True) -> bytes:
    """Return a chunk, padded to an even size; ``size`` is stated in place of the true one."""
    stated = len(body) if size is None else size
    return kind + struct.pack("<I", stated) + body + b"\0" * (len(body) % 2 if pad else 0)


def fmt(tag: int, bits: int, channels: int = 1, rate_hz: int = 8_000) -> bytes:
    """Return a fmt chunk."""
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits))


def riff(*chunks: bytes, size: int | None = None, signature: bytes = b"RIFF") -> bytes:
    """Return a WAVE file; ``size`` is stated in place of the true one."""
    body = b"WAVE" + b"".join(chunks)
    return signature + struct.pack("<I", len(body) if size is None else size) + body
