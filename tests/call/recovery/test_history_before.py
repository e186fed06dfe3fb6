"""The messages of a line with which a call's conversation begins."""

from msgspec.structs import replace

from gateway.call.recovery.commands import OpenVoice, VoiceOpened
from gateway.voice.commands import SayText, SeedMessage
from tests.call.recovery.lost import AGAIN, LINE, LOST
from tests.story import READY, Story

KNOWN = (SeedMessage("system", "The caller is Ada."), SeedMessage("assistant", "I will call you back."))
HELLO = SayText("Hello.")
BEGUN = replace(LINE, history=KNOWN, greeting=HELLO)


def test_the_conversation_begins_with_what_is_known() -> None:
    """Before the greeting is asked for."""
    story = Story(BEGUN, ready=False)
    assert story.tell(READY)[:3] == [*KNOWN, HELLO]


def test_another_session_is_given_it_first() -> None:
    """Before the note that the call has been going on, and once."""
    story = Story(replace(LINE, history=KNOWN))
    story.tell(LOST)
    commands = story.wait(0.3)
    (asked,) = [command for command in commands if isinstance(command, OpenVoice)]
    given = [one for one in story.tell(VoiceOpened(asked.leg, AGAIN)) if isinstance(one, SeedMessage)]
    assert tuple(given[:2]) == KNOWN
    assert given.count(KNOWN[0]) == 1
