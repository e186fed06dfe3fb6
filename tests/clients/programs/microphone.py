"""The microphone of a program: the question at the pace of speech, and silence for as long as it is read."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

RATE_HZ, FRAME_MS = 24_000, 20
SAMPLES = RATE_HZ * FRAME_MS // 1000
"""Samples of a frame, each of two bytes."""
_QUESTION = Path(os.environ["QUESTION"]).read_bytes()


async def frames() -> AsyncIterator[bytes]:
    """Yield a frame every 20 ms."""
    at, size = 0, 2 * SAMPLES
    while True:
        yield _QUESTION[at : at + size].ljust(size, b"\0")
        at += size
        await asyncio.sleep(FRAME_MS / 1000)
