"""When a call has something due."""

import math

import pytest

from gateway.audio.formats import PCMU
from gateway.call.caller_clock import JITTER_S
from gateway.call.deadlines import Deadlines
from gateway.call.parts import Parts
from gateway.call.recovery.sessions import Sessions
from gateway.call.settings import CallSettings
from gateway.phone.events import CallStarted, Playout

ENDS_AT = 600.0
FRAME = bytes(160)


def rig() -> tuple[Parts, Deadlines]:
    started = CallStarted("CA1", "MZ1", PCMU, Playout())
    settings = CallSettings()
    parts = Parts(started, settings, 0.0)
    return parts, Deadlines(parts, Sessions(parts, settings, PCMU, 0.0), ENDS_AT)


def test_the_callers_audio_puts_its_deadline_off_and_no_other() -> None:
    """The time that is known may be too early, and then nothing is due at it; it is computed when it has come."""
    parts, deadlines = rig()
    deadlines.forget()
    parts.caller_audio.receive(FRAME, 1.0)
    known = deadlines.next()
    assert known == pytest.approx(1.02 + JITTER_S)
    parts.caller_audio.receive(FRAME, 1.3)
    assert deadlines.next() == known
    assert not deadlines.is_due(known)
    assert deadlines.next() == pytest.approx(1.32 + JITTER_S)
    assert deadlines.is_due(deadlines.next())


def test_more_of_a_reply_brings_its_own_deadline_alone() -> None:
    """The others stand until they are forgotten."""
    parts, deadlines = rig()
    deadlines.forget()
    parts.caller_audio.receive(FRAME, 1.0)
    before = deadlines.next()
    parts.bot._playback.add("i", bytes(8000), 1.0)
    assert deadlines.next() == before
    deadlines.forget_playback()
    assert deadlines.next() == pytest.approx(1.2), "the lead of 400 ms is topped up when half of it has gone"
    assert not deadlines.are_forgotten
    assert deadlines.is_due(1.2001)
    assert deadlines.is_playback_alone(1.2001)
    assert not deadlines.is_playback_alone(1.5), "the caller's audio is looked after too"


def test_a_part_whose_time_comes_is_not_playback_alone() -> None:
    """So is the end of the longest call."""
    parts, deadlines = rig()

    class Part:
        def next_deadline(self) -> float | None:
            return 0.3

    parts.timed.append(Part())
    deadlines.forget()
    assert deadlines.next() == 0.3
    assert not deadlines.is_playback_alone(0.3)
    deadlines.ends_at = 0.2
    deadlines.forget()
    assert deadlines.next() == 0.2
    assert deadlines.next() < math.inf
