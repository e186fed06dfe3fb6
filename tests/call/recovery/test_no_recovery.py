"""Calls that end with their session, as every call did once."""

import pytest
from msgspec.structs import replace

from gateway.call.ending import EndCall, EndReason
from gateway.call.settings import Trouble
from gateway.voice.commands import SayText
from gateway.voice.events import VoiceClosed, VoiceEnd
from tests.call.recovery.lost import LINE, LOST, TROUBLE
from tests.story import Story


def test_without_tries_a_call_ends_with_its_session() -> None:
    """At once, as ever."""
    story = Story(replace(LINE, trouble=Trouble()))
    (end,) = story.tell(LOST)
    assert end == EndCall(EndReason.VOICE_LOST, "service", LOST.detail)


@pytest.mark.parametrize("end", [VoiceEnd.CLOSED, VoiceEnd.REFUSED])
def test_a_first_session_that_would_be_refused_again_ends_the_call(end: VoiceEnd) -> None:
    """A wrong key stays wrong."""
    story = Story(LINE, ready=False)
    assert any(isinstance(command, EndCall) for command in story.tell(VoiceClosed(end, "401")))


def test_a_first_session_is_asked_for_within_the_connect_budget() -> None:
    """Later than that, its refusal is the last."""
    story = Story(LINE, ready=False)
    story.wait(TROUBLE.connect_limit_s + 0.1)
    closed = VoiceClosed(VoiceEnd.UNREACHABLE, "503", passes=True)
    assert EndCall(EndReason.VOICE_UNAVAILABLE, "service", "503") in story.tell(closed)


def test_a_closed_line_ends_with_its_session() -> None:
    """It has only its words to say."""
    story = Story(replace(LINE, closed=True, greeting=SayText("Closed.")))
    assert any(isinstance(command, EndCall) for command in story.tell(LOST))
