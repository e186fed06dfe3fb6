"""Greetings, told as stories over the conversation."""

import pytest

from gateway.call import notes
from gateway.call.settings import CallSettings, Recorded
from gateway.call.speaking.greeting import RECORDING, UNKNOWN_WORDS, Greeting
from gateway.call.speaking.replies import HeardReply
from gateway.call.speaking.responses import ALREADY_ACTIVE
from gateway.phone.commands import PlayAudio, StopPlayback
from gateway.phone.events import CallerAudio
from gateway.voice.commands import AddMessage, CreateResponse, SayText, SendAudio, TruncateReply
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
    story = Story(CallSettings(greeting=RECORDED), ready=False)
    assert isinstance(story.begun[1], PlayAudio)
    assert story.listen(1) == []
    assert [type(command) for command in story.tell(READY)] == [SendAudio]
    assert story.noted(notes.GreetingPlayed) == [notes.GreetingPlayed(RECORDING)]


def test_a_recorded_greeting_becomes_part_of_the_conversation() -> None:
    """>> heard to its end << an assistant item with its words."""
    story = Story(CallSettings(greeting=RECORDED))
    assert story.listen(2.8) == []
    assert story.listen(0.4) == [AddMessage("assistant", TEXT)]


def test_a_recorded_greeting_that_ends_before_the_session_is_there() -> None:
    """>> heard, then ready << the item comes before what the caller has said meanwhile."""
    story = Story(CallSettings(greeting=RECORDED), ready=False)
    assert story.listen(3.5) == []
    told = story.tell(READY)
    assert told[0] == AddMessage("assistant", TEXT)
    assert isinstance(told[1], SendAudio)


def test_an_interrupted_recording_is_known_as_far_as_it_was_heard() -> None:
    """>> speech in the middle << silent, and an item with the words so far; the service has no item to truncate."""
    story = Story(CallSettings(greeting=RECORDED))
    story.listen(1.5)
    stop, message = story.tell(CallerSpoke("u"))
    assert stop == StopPlayback()
    assert message == AddMessage("assistant", "Welcome to Contoso, how")


def test_a_recording_whose_words_nobody_wrote_down() -> None:
    """A greeting without a text still tells the model that there was one."""
    story = Story(CallSettings(greeting=Recorded(b"\x10" * 8000)))
    assert story.listen(1.5) == [AddMessage("assistant", UNKNOWN_WORDS)]


def test_a_legal_sentence_is_heard_to_its_end() -> None:
    """>> speech over a greeting that is not interruptible << nothing; the turn is answered behind it."""
    story = Story(CallSettings(greeting=LEGAL, interruptible=False))
    story.tell(ResponseStarted("g", story.requests[-1]))
    story.tell(ReplyAudio("g", "i", b"\x10" * 24_000))
    story.tell(CallerSpoke("u"))
    assert story.tell(CallerAudio(SILENCE)) == [SendAudio(SILENCE)]
    story.tell(CallerPaused("u"))
    assert story.tell(TurnCommitted("u")) == []
    story.tell(ReplyComplete("g", "i"))
    assert story.tell(ResponseEnded("g", ResponseStatus.COMPLETED)) == []
    assert story.listen(3.2) == [CreateResponse()]
    assert story.played == 24_000


def test_a_legal_sentence_is_protected_before_it_begins() -> None:
    """>> speech before the greeting's response has begun << it is not cancelled."""
    story = Story(CallSettings(greeting=LEGAL, interruptible=False))
    assert story.tell(CallerSpoke("u")) == []
    assert story.tell(ResponseStarted("g", story.requests[-1])) == []
    assert any(isinstance(command, PlayAudio) for command in story.tell(ReplyAudio("g", "i", b"\x10" * 8000)))


def test_only_the_greeting_is_protected() -> None:
    """>> speech over the first answer << interrupted as ever."""
    story = Story(CallSettings(greeting=LEGAL, interruptible=False))
    story.answer(request=story.requests[-1])
    story.listen(1.2)
    story.answer(response="r2", item="i2", seconds=5)
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()


@pytest.mark.parametrize("fails", ["refused", "empty"])
def test_a_greeting_that_fails_protects_nothing(fails: str) -> None:
    """>> the greeting is refused, or has no sound << what follows can be interrupted."""
    story = Story(CallSettings(greeting=LEGAL, interruptible=False))
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
    story = Story(CallSettings(greeting=RECORDED, interruptible=False))
    story.listen(1)
    assert story.tell(CallerSpoke("u")) == []
    assert story.listen(2.3) == [AddMessage("assistant", TEXT)]
    assert story.played == 24_000


def test_protection_ends_with_the_greeting_although_an_answer_waits_behind_it() -> None:
    """>> a turn over a legal sentence, its answer queued behind << the sentence is safe, the answer is interrupted."""
    story = Story(CallSettings(greeting=LEGAL, interruptible=False))
    story.tell(ResponseStarted("g", story.requests[-1]))
    story.tell(ReplyAudio("g", "i", b"\x10" * 16_000))
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.tell(ReplyComplete("g", "i"))
    assert story.tell(ResponseEnded("g", ResponseStatus.COMPLETED)) == []
    assert story.listen(0.4) == [CreateResponse()]
    story.answer(response="r", item="answer", request=story.requests[-1], seconds=3)
    assert story.listen(1.5) == []
    assert story.tell(CallerSpoke("v")) == [], "the legal sentence is still heard"
    story.tell(CallerPaused("v"))
    assert story.listen(1.5) == []
    assert story.noted(notes.ReplyHeard)[0].item_id == "i"
    assert [type(command) for command in story.tell(CallerSpoke("w"))] == [StopPlayback, TruncateReply]


def test_an_answer_that_is_heard_first_does_not_end_the_protection() -> None:
    """>> the service answers before it takes the greeting << only the greeting, heard to its end, is the greeting."""
    story = Story(CallSettings(greeting=LEGAL, interruptible=False))
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert story.tell(ServiceError(ALREADY_ACTIVE, "active", story.requests[-1])) == []
    story.tell(ResponseStarted("other"))
    story.tell(ReplyAudio("other", "o", b"\x10" * 8_000))
    story.tell(ReplyComplete("other", "o"))
    assert story.listen(1.5) == []
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("o", 1000, 1000)]
    assert story.tell(ResponseEnded("other", ResponseStatus.COMPLETED)) == [LEGAL]
    story.tell(ResponseStarted("g", story.requests[-1]))
    story.tell(ReplyAudio("g", "i", b"\x10" * 16_000))
    assert story.listen(0.5) == []
    assert story.tell(CallerSpoke("v")) == []
    story.tell(CallerPaused("v"))
    story.tell(ReplyComplete("g", "i"))
    story.tell(ResponseEnded("g", ResponseStatus.COMPLETED))
    story.answer(response="r", item="i2", request=story.requests[-1])
    story.goes_on()


def test_a_line_without_a_greeting_protects_nothing() -> None:
    """>> ``interruptible: false`` and nothing to be heard << the first answer is interrupted as ever."""
    story = Story(CallSettings(interruptible=False))
    story.answer(seconds=5)
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()


def test_a_protected_greeting_that_a_closed_response_never_speaks() -> None:
    """>> the greeting's response ends without a sound << the call goes on, and nothing is protected."""
    story = Story(CallSettings(greeting=LEGAL, interruptible=False))
    story.tell(ResponseStarted("g", story.requests[-1]))
    assert story.tell(ResponseEnded("g", ResponseStatus.COMPLETED)) == []
    story.goes_on()


@pytest.mark.parametrize(
    ("text", "heard_ms", "told"),
    [
        (TEXT, 4500, TEXT),
        (TEXT, 4400, "Welcome to Contoso, how can I help you"),
        (TEXT, 2200, "Welcome to Contoso,"),
        (TEXT, 1800, "Welcome to"),
        (TEXT, 1000, "Welcome to"),
        (TEXT, 950, "Welcome to"),
        (TEXT, 940, "Welcome"),
        (TEXT, 900, "Welcome"),
        (TEXT, 700, "Welcome"),
        (TEXT, 600, None),
        (TEXT, 0, None),
        ("Hello", 4000, None),
        ("Wait,  please", 4500, "Wait,  please"),
        (" Hello", 2500, None),
    ],
)
def test_words_are_told_as_far_as_they_were_heard(text: str, heard_ms: int, told: str | None) -> None:
    """A word counts when its end was reached to half a letter; a part of one does not.

    A letter of ``TEXT`` takes 100 ms.
    """
    greeting = Greeting(CallSettings(greeting=Recorded(b"", text)))
    message = greeting.heard(HeardReply(RECORDING, heard_ms, 4500))
    assert message == (AddMessage("assistant", told) if told else None)


def test_a_double_space_is_no_word() -> None:
    """The end of the text that is told has no space behind it."""
    greeting = Greeting(CallSettings(greeting=Recorded(b"", "Wait,  please")))
    assert greeting.heard(HeardReply(RECORDING, 7, 13)) == AddMessage("assistant", "Wait,")


def test_a_reply_of_a_response_without_a_name_is_not_the_greeting() -> None:
    """Before the greeting's response has begun, no reply is its own: its end leaves the greeting protected."""
    greeting = Greeting(CallSettings(greeting=LEGAL, interruptible=False))
    greeting.reply_begun("", "i")
    greeting.heard(HeardReply("i", 100, 100))
    assert greeting.protected
