"""A call whose session is lost: the line, and what the stories of it have in common."""

from gateway.call.settings import CallSettings, FunctionRule, Target, Trouble
from gateway.call.state import State
from gateway.voice.commands import SayText
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    SessionReady,
    TurnCommitted,
    VoiceClosed,
    VoiceEnd,
)
from tests.story import Story

LOST = VoiceClosed(VoiceEnd.LOST, "Voice Live closed the session with 1011")
PHRASE = b"\x22" * 8000
TROUBLE = Trouble(tries=4, limit_s=15.0, phrase=lambda: PHRASE, seed=7)
LINE = CallSettings(
    trouble=TROUBLE,
    functions={"look": FunctionRule()},
    built_in=frozenset({"end_call", "transfer_call"}),
    targets={"desk": Target("desk", "+14255550199", SayText("One moment."))},
)
AGAIN = SessionReady("sess_2", "gpt-realtime")


def state_of(story: Story) -> State:
    """The state of the call."""
    return story.conversation.state


def spoken(story: Story, words: str = "Where is my order?") -> None:
    """Let the caller say a turn, and the service take it."""
    for event in (CallerSpoke("u"), CallerPaused("u"), TurnCommitted("u"), CallerSaid("u", words)):
        story.tell(event)
