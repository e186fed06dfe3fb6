"""Reads the recording of a call, wherever it is kept."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.audio.audio_file import read_audio
from gateway.config.records.recordings import Recordings
from gateway.errors import InputError, StoreError
from gateway.records.rows import RecordingRow
from gateway.records.stored_call import StoredCall
from gateway.records.storing.opening import open_store

Sound = tuple[npt.NDArray[np.int16], int]
"""Samples, the caller left and the bot right, and their rate."""


async def sound_of(stored: StoredCall, settings: Recordings, beside: Path) -> Sound | None:
    """Return the call's recording; ``None`` where there is none of two channels.

    ``settings`` are the deployment's, and ``beside`` is the folder of gateway.yaml. Raises ``InputError`` for a file
    that is no recording, and ``StoreError`` where the store does not give it.
    """
    for recording in stored.recordings:
        sound = await _read(recording, settings, beside)
        if sound is not None:
            return sound
    return None


async def _read(recording: RecordingRow, settings: Recordings, beside: Path) -> Sound | None:
    if not recording.url:
        return None
    if "://" not in recording.url:
        return await asyncio.to_thread(_decoded, Path(recording.url))
    store = open_store(settings, beside, recording.url)
    try:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            async for block in store.read(recording.url):
                file.write(block)
            file.flush()
            return await asyncio.to_thread(_decoded, Path(file.name))
    finally:
        with suppress(StoreError):
            await store.close()


def _decoded(path: Path) -> Sound | None:
    if not path.is_file():
        return None
    try:
        audio = read_audio(path)
    except InputError as error:
        raise InputError(f"the recording cannot be read: {error}") from error
    return (audio.samples, audio.rate_hz) if audio.samples.ndim == 2 and audio.samples.shape[1] == 2 else None
