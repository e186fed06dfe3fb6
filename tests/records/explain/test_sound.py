"""The recording of a call, read where it is kept."""

from pathlib import Path

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config.records.recordings import Recordings
from gateway.errors import InputError, StoreError
from gateway.records.explain.sound import Sound, sound_of
from gateway.records.rows import RecordingRow
from gateway.records.stored_call import stored_call
from tests.records.kept import rows_of

STEREO = np.arange(16_000, dtype=np.int16).reshape(-1, 2)


async def read(*urls: str) -> Sound | None:
    """The sound of a call with these recordings."""
    kept = [RecordingRow(call_key="k1", url=url) for url in urls]
    return await sound_of(stored_call([*rows_of("k1"), *kept]), Recordings(), Path())


@pytest.mark.parametrize("is_url", [True, False])
async def test_a_recording_is_read_from_its_store_or_as_a_file(tmp_path: Path, is_url: bool) -> None:
    """As it was written."""
    write_wav(tmp_path / "call.wav", STEREO, 16_000)
    found = await read((tmp_path / "call.wav").as_uri() if is_url else str(tmp_path / "call.wav"))
    assert found is not None
    assert (found[0] == STEREO).all()
    assert found[1] == 16_000


async def test_a_call_may_have_none(tmp_path: Path) -> None:
    """Nor one of two channels, nor one that has reached the store."""
    write_wav(tmp_path / "mono.wav", STEREO[:, :1], 8000)
    assert await read() is None
    assert await read("", str(tmp_path / "gone.wav"), str(tmp_path / "mono.wav")) is None


async def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """By the store, or by the reader of sounds."""
    with pytest.raises(StoreError):
        await read((tmp_path / "gone.wav").as_uri())
    (tmp_path / "call.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(InputError, match="the recording cannot be read"):
        await read(str(tmp_path / "call.wav"))
