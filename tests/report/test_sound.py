"""The sound of a call as a part of its page."""

import base64
import io

import numpy as np
import pytest
import soundfile

from gateway.report import sound
from gateway.report.heard import Heard


def test_the_recording_is_opus_of_both_channels() -> None:
    """In a data URL, as long as the recording."""
    source = sound.embedded(Heard(1000, np.zeros((8000, 2), np.int16)))
    assert source.startswith("data:audio/ogg;codecs=opus;base64,")
    samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(source.partition(",")[2])))
    assert (samples.shape[1], len(samples) / rate_hz) == (2, 1.0)


def test_none_and_a_long_one_are_not_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to play then."""
    monkeypatch.setattr(sound, "EMBEDDED_S", 1)
    assert sound.embedded(Heard(1000)) == ""
    assert sound.embedded(Heard(1000, np.zeros((8001, 2), np.int16))) == ""
