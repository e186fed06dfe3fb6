"""The sound of a call."""

import numpy as np

from gateway.report.heard import Heard


def test_a_call_may_have_no_recording() -> None:
    """Its picture has no waveforms then."""
    assert not Heard(1000).has_sound
    assert Heard(1000).stereo.shape == (0, 2)
    assert Heard(1000, np.zeros((8, 2), np.int16)).has_sound
