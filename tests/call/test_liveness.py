"""Whether the provider is still there."""

import pytest

from gateway.call.ending import EndCall, EndReason
from gateway.call.liveness import Liveness
from gateway.phone.commands import AskForLife

LOST = EndCall(EndReason.STREAM_LOST, "provider", "no audio from the provider for 15 s")


def test_it_is_asked_and_then_given_up() -> None:
    """Half of the time for itself, half for an answer."""
    liveness = Liveness(15.0, 100.0)
    assert liveness.next_deadline(100.0) == 107.5
    assert liveness.on_deadline(107.4, 100.0) == []
    assert liveness.on_deadline(107.5, 100.0) == [AskForLife()]
    assert liveness.next_deadline(100.0) == 115.0
    assert liveness.on_deadline(107.6, 100.0) == []
    assert liveness.on_deadline(115.0, 100.0) == [LOST]


@pytest.mark.parametrize("way", ["audio", "a message"])
def test_whatever_comes_counts(way: str) -> None:
    """Audio or any message: for an hour the stream is not lost, and asked only where nothing else came."""
    liveness, audio_at, asked = Liveness(15.0, 0.0), 0.0, 0
    for second in range(0, 3600, 8):
        done = liveness.on_deadline(second, audio_at)
        assert LOST not in done
        asked += len(done)
        if way == "audio":
            audio_at = second
        else:
            liveness.note_life(second)
    assert asked == 449


def test_a_process_that_stood_still_asks_first() -> None:
    """What the provider said meanwhile may be unread."""
    liveness = Liveness(15.0, 0.0)
    assert liveness.on_deadline(300.0, 0.0) == [AskForLife()]
    assert liveness.on_deadline(307.4, 0.0) == []
    assert liveness.on_deadline(307.5, 0.0) == [LOST]


def test_a_stream_that_is_alive_and_brings_no_audio() -> None:
    """It ends after its own limit, whatever answers come; audio begins the time anew."""
    silent = EndCall(
        EndReason.STREAM_LOST, "provider", "no audio from the provider for 60 s, although its stream is alive"
    )
    liveness = Liveness(15.0, 0.0, no_audio_s=60.0)
    for second in range(0, 60, 5):
        assert silent not in liveness.on_deadline(second, 0.0)
        liveness.note_life(second)
    assert liveness.next_deadline(0.0) == 60.0
    assert liveness.on_deadline(60.0, 20.0) == []
    assert liveness.on_deadline(60.0, 0.0) == [silent]
