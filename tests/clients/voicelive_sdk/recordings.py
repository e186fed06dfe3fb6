"""The recordings that the SDK's live tests play, which are not in its source distribution, from the gateway's own.

One phrase stands in for another: the emulator answers by its script. Each test sends a file as it stands, header and
all, so that what it calls WAV is raw audio here: 16 bits, or G.711.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.audio import g711
from gateway.audio.audio_file import read_audio
from gateway.audio.formats import PCMA, PCMU
from gateway.audio.resample import resample
from gateway.sim.prompts import caller_prompt

Samples = NDArray[np.int16]
RATE_HZ = 24_000
LAKE_MS = 1_480
"""The length of the question about a lake: its turn ends after 200 ms of silence, and the tests expect 1,680 ms."""
QUIET = 400
"""Samples below this are the silence around a phrase."""


def write(folder: Path) -> None:
    """Write all recordings into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    weather, lake = phrase("order_status"), phrase("change_delivery")
    lake = lake[: RATE_HZ * LAKE_MS // 1000]
    two = np.concatenate([lake, silence(1.5), weather, silence(1.5)])
    for name, samples in {
        "4-1.wav": two,
        "ask_weather.wav": weather,
        "ask_weather.mp3": weather,
        "audio_overlap.wav": two,
        "filler_word_24kHz.wav": np.concatenate([phrase("yes_please"), silence(1.5)]),
        "largest_lake.wav": lake,
        "largest_lake.8kHz.wav": resample(lake, RATE_HZ, 8_000),
        "largest_lake.16kHz.wav": resample(lake, RATE_HZ, 16_000),
        "largest_lake.44kHz.wav": resample(lake, RATE_HZ, 44_100),
    }.items():
        (folder / name).write_bytes(samples.astype("<i2").tobytes())
    at_8_khz = resample(lake, RATE_HZ, 8_000)
    (folder / "largest_lake.ulaw").write_bytes(g711.encode(at_8_khz, PCMU))
    (folder / "largest_lake.alaw").write_bytes(g711.encode(at_8_khz, PCMA))


def phrase(name: str) -> Samples:
    """Return what a caller says in one of the gateway's recordings, without the silence around it."""
    prompt = caller_prompt(name)
    assert prompt is not None, f"{name}: no recording of a caller has that name"
    audio = read_audio(prompt.path)
    loud = np.flatnonzero(np.abs(audio.samples[:, 0].astype(np.int32)) > QUIET)
    return resample(audio.samples[loud[0] : loud[-1], 0], audio.rate_hz, RATE_HZ)


def silence(seconds: float) -> Samples:
    """Return silence at ``RATE_HZ``."""
    return np.zeros(round(seconds * RATE_HZ), np.int16)
