"""Greetings, told as stories over the conversation."""

import pytest

from gateway.call.opening import RECORDING, UNKNOWN_WORDS
from gateway.call.rules import Recorded, Rules
from gateway.phone.commands import PlayAudio, StopPlayback
from gateway.phone.events import CallerAudio
from gateway.voice.commands import AddMessage, CreateResponse, SayText, SendAudio
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    TurnCommitted,
)
from tests.story import READY, SILENCE, Story

TEXT = "Welcome to Contoso, how can I help you today?"
RECORDED = Recorded(b"\x10" * 24_000, TEXT)
LEGAL = SayText("This call is recorded.")


def test_a_recorded_greeting_starts_before_the_session_is_ready() -> None:
    """<< its first frames at once; >> ready << nothing is asked of the service."""
    story = Story(Rules(greeting=RECORDED), ready=False)
    assert isinstance(story.begun[1], PlayAudio)
    assert story.listen(1) == []
    assert [type(command) for command in story.tell(READY)] == [SendAudio]
    assert story.noted("greeting_played") == [{"item_id": RECORDING}]


def test_a_recorded_greeting_becomes_part_of_the_conversation() -> None:
    """>> heard to its end << an assistant item with its words."""
    story = Story(Rules(greeting=RECORDED))
    assert story.listen(2.8) == []
    assert story.listen(0.4) == [AddMessage("assistant", TEXT)]


def test_a_recorded_greeting_that_ends_before_the_session_is_there() -> None:
    """>> heard, then ready << the item comes before what the caller has said meanwhile."""
    story = Story(Rules(greeting=RECORDED), ready=False)
    assert story.listen(3.5) == []
    told = story.tell(READY)
    assert told[0] == AddMessage("assistant", TEXT)
    assert isinstance(told[1], SendAudio)


def test_an_interrupted_recording_is_known_as_far_as_it_was_heard() -> None:
    """>> speech in the middle << silent, and an item with the words so far; the service has no item to truncate."""
    story = Story(Rules(greeting=RECORDED))
    story.listen(1.5)
    stop, message = story.tell(CallerSpoke("u"))
    assert stop == StopPlayback()
    assert message == AddMessage("assistant", "Welcome to Contoso, how")


def test_a_recording_whose_words_nobody_wrote_down() -> None:
    """A greeting without a text still tells the model that there was one."""
    story = Story(Rules(greeting=Recorded(b"\x10" * 8000)))
    assert story.listen(1.5) == [AddMessage("assistant", UNKNOWN_WORDS)]


def test_a_legal_sentence_is_heard_to_its_end() -> None:
    """>> speech over a greeting that is not interruptible << nothing; the turn is answered behind it."""
    story = Story(Rules(greeting=LEGAL, interruptible=False))
    story.tell(ResponseStarted("g", story.requests[-1]))
    story.tell(ReplyAudio("g", "i", b"\x10" * 24_000))
    story.tell(CallerSpoke("u"))
    assert story.tell(CallerAudio(SILENCE)) == [SendAudio(SILENCE)]
    story.tell(CallerPaused("u"))
    assert story.tell(TurnCommitted("u")) == []
    story.tell(ReplyComplete("g", "i"))
    assert story.tell(ResponseEnded("g", ResponseStatus.COMPLETED)) == [CreateResponse()]
    assert story.listen(3.2) == []
    assert story.played == 24_000


def test_a_legal_sentence_is_protected_before_it_begins() -> None:
    """>> speech before the greeting's response has begun << it is not cancelled."""
    story = Story(Rules(greeting=LEGAL, interruptible=False))
    assert story.tell(CallerSpoke("u")) == []
    assert story.tell(ResponseStarted("g", story.requests[-1])) == []
    assert any(isinstance(command, PlayAudio) for command in story.tell(ReplyAudio("g", "i", b"\x10" * 8000)))


def test_only_the_greeting_is_protected() -> None:
    """>> speech over the first answer << interrupted as ever."""
    story = Story(Rules(greeting=LEGAL, interruptible=False))
    story.answer(request=story.requests[-1])
    story.listen(1.2)
    story.answer(response="r2", item="i2", seconds=5)
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()


@pytest.mark.parametrize("fails", ["refused", "empty"])
def test_a_greeting_that_fails_protects_nothing(fails: str) -> None:
    """>> the greeting is refused, or has no sound << what follows can be interrupted."""
    story = Story(Rules(greeting=LEGAL, interruptible=False))
    for attempt in ("first", "second"):
        if fails == "refused":
            story.tell(ServiceError("rate_limit_exceeded", "later", story.requests[-1]))
        else:
            story.tell(ResponseStarted(attempt, story.requests[-1]))
            story.tell(ResponseEnded(attempt, ResponseStatus.FAILED))
        if attempt == "first":
            assert story.listen(1.1) == [LEGAL], "it is tried once more, and still protected"
    story.answer(response="r2", item="i2", seconds=5)
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()


def test_a_recorded_legal_sentence_is_heard_to_its_end() -> None:
    """>> speech over a protected recording << played on; afterwards answers can be interrupted."""
    story = Story(Rules(greeting=RECORDED, interruptible=False))
    story.listen(1)
    assert story.tell(CallerSpoke("u")) == []
    assert story.listen(2.3) == [AddMessage("assistant", TEXT)]
    assert story.played == 24_000
