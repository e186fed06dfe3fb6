"""A line that only listens, told as stories: what the caller says is noted, and nobody answers."""

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.recovery.commands import OpenVoice, VoiceOpened
from gateway.call.settings import CallSettings, Recorded
from gateway.call.state import State
from gateway.phone.commands import PlayAudio
from gateway.phone.events import DigitPressed
from gateway.voice.commands import CommitTurn, CreateResponse, SayText
from gateway.voice.events import CallerPartlySaid, CallerPaused, CallerSaid, CallerSpoke, TurnCommitted
from tests.call.recovery.lost import AGAIN, LINE, LOST
from tests.story import READY, Story

LISTENS = CallSettings(answers=False)
TURN = (
    CallerSpoke("u"),
    CallerPartlySaid("u", "Hello"),
    CallerPaused("u"),
    TurnCommitted("u"),
    CallerSaid("u", "Hello."),
)


def test_no_answer_is_asked_for_or_missed() -> None:
    """>> a turn and a minute of silence << its words, and no request; the call goes on."""
    story = Story(LISTENS)
    for event in TURN:
        assert story.tell(event) == []
    assert story.listen(60) == []
    assert story.conversation.state is State.TALKING
    assert [note.text for note in story.noted(notes.CallerSaid)] == ["Hello."]
    assert story.noted(notes.AnswerOverdue) == []
    assert story.noted(notes.ResponseCutShort) == []


def test_a_key_ends_a_turn_and_asks_for_nothing() -> None:
    """>> the key, and the turn that it ended << the turn is committed, and that is all."""
    story = Story(replace(LISTENS, commit_on="#"))
    assert story.tell(DigitPressed("#")) == [CommitTurn()]
    assert story.tell(TurnCommitted("u")) == []
    assert story.listen(20) == []


def test_a_recorded_greeting_is_played() -> None:
    """What callers hear first, before the silence."""
    story = Story(replace(LISTENS, greeting=Recorded(b"\xd5" * 800, "This call is transcribed.")), ready=False)
    assert any(isinstance(command, PlayAudio) for command in story.begun)
    story.tell(READY)
    assert [note.item_id for note in story.noted(notes.GreetingPlayed)] == ["recording"]


@pytest.mark.parametrize("said", [False, True])
def test_another_session_is_asked_for_nothing(said: bool) -> None:
    """A lost session is replaced, whether the caller was speaking or not."""
    story = Story(replace(LINE, answers=False))
    for event in TURN if said else TURN[:2]:
        story.tell(event)
    story.tell(LOST)
    commands = story.wait(0.3)
    (asked,) = [command for command in commands if isinstance(command, OpenVoice)]
    commands += story.tell(VoiceOpened(asked.leg, AGAIN)) + story.listen(30)
    assert not [command for command in commands if isinstance(command, CreateResponse | SayText)]
    assert story.conversation.state is State.TALKING
