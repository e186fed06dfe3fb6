"""Speech that does not interrupt yet: too short, or over the protected beginning of a reply."""

from collections.abc import Sequence

import pytest

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.settings import BargeInRules, CallSettings
from gateway.phone.commands import StopPlayback
from gateway.voice.commands import CancelResponse, SayText, TruncateReply
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    TurnCommitted,
)
from tests.story import Story


def story_with(*, protect_ms: int = 0, min_speech_ms: int = 0) -> Story:
    """A call on a line with these rules."""
    return Story(CallSettings(barge_in_rules=BargeInRules(protect_ms, min_speech_ms)))


def answering(story: Story, *, seconds: int = 3, heard_s: float = 1.0) -> Story:
    """A reply is generated whole, and heard for a while."""
    story.answer(seconds=seconds)
    story.listen(heard_s)
    return story


def kinds(commands: Sequence[object]) -> list[type]:
    """The kinds of what was asked for."""
    return [type(command) for command in commands]


def test_speech_of_the_least_length_interrupts() -> None:
    """>> speech that goes on for 300 ms << nothing, and then the bot is silent and the reply cut at what was heard."""
    story = answering(story_with(min_speech_ms=300))
    assert story.tell(CallerSpoke("c1")) == []
    assert story.listen(0.2) == []
    stopped = story.listen(0.2)
    assert kinds(stopped) == [StopPlayback, TruncateReply]
    assert isinstance(stopped[1], TruncateReply)
    assert 1300 <= stopped[1].heard_ms <= 1400
    assert story.noted(notes.SpeechIgnored) == []


def test_shorter_speech_does_not_interrupt() -> None:
    """>> 200 ms of speech where 300 are needed << nothing; the reply is heard to its end, and the turn is answered."""
    story = answering(story_with(min_speech_ms=300))
    assert story.tell(CallerSpoke("c1")) == []
    story.wait(0.2)
    assert story.tell(CallerPaused("c1")) + story.tell(TurnCommitted("c1")) == []
    assert story.answer(response="r2", item="i2") == []
    assert story.listen(4.0) == []
    assert [reply.heard_ms for reply in story.noted(notes.ReplyHeard)] == [3000, 1000]
    assert story.noted(notes.SpeechIgnored) == [notes.SpeechIgnored("c1", "short")]


def test_the_beginning_of_a_reply_is_protected() -> None:
    """>> speech 200 ms into a reply, over before 800 << nothing; speech after that << silence at once."""
    story = answering(story_with(protect_ms=800), heard_s=0.2)
    assert story.tell(CallerSpoke("c1")) == []
    assert story.listen(0.3) == []
    assert story.tell(CallerPaused("c1")) + story.tell(TurnCommitted("c1")) == []
    assert story.noted(notes.SpeechIgnored) == [notes.SpeechIgnored("c1", "protected")]
    assert story.listen(0.5) == []
    assert kinds(story.tell(CallerSpoke("c2"))) == [StopPlayback, TruncateReply]


def test_who_still_speaks_after_the_protected_beginning_interrupts() -> None:
    """>> speech 200 ms into a reply that goes on << silence at 800 ms."""
    story = answering(story_with(protect_ms=800), heard_s=0.2)
    assert story.tell(CallerSpoke("c1")) == []
    assert story.listen(0.5) == []
    stopped = story.listen(0.2)
    assert kinds(stopped) == [StopPlayback, TruncateReply]


def test_a_reply_that_began_meanwhile_is_protected_too() -> None:
    """>> speech held for its length, while the first audio comes << held until the reply's beginning is over."""
    story = story_with(protect_ms=800, min_speech_ms=300)
    story.tell(ResponseStarted("r"))
    assert story.tell(CallerSpoke("c1")) == []
    story.wait(0.2)
    story.tell(ReplyAudio("r", "i", b"\x10" * 24000))
    assert story.listen(0.7) == []
    assert kinds(story.listen(0.3)) == [StopPlayback, CancelResponse, TruncateReply]


def test_an_answer_that_is_still_silent_is_not_cancelled_by_a_cough() -> None:
    """>> 100 ms of speech while the answer is generated << the answer is heard."""
    story = story_with(min_speech_ms=300)
    story.tell(ResponseStarted("r"))
    assert story.tell(CallerSpoke("c1")) == []
    story.wait(0.1)
    story.tell(CallerPaused("c1"))
    assert story.answer() == []


def test_an_answer_that_begins_while_speech_is_held_is_kept() -> None:
    """>> a response that begins during 100 ms of speech << it is not cancelled as overtaken."""
    story = answering(story_with(min_speech_ms=300))
    story.tell(CallerSpoke("c1"))
    assert story.tell(ResponseStarted("r2")) == []
    story.wait(0.1)
    assert story.tell(CallerPaused("c1")) == []
    assert story.noted(notes.BargeIn) == []


@pytest.mark.parametrize("rules", [BargeInRules(protect_ms=800), BargeInRules(min_speech_ms=300)])
def test_speech_into_silence_is_not_held(rules: BargeInRules) -> None:
    """>> speech while nobody else speaks << nothing is held, and nothing is due."""
    story = Story(CallSettings(barge_in_rules=rules))
    story.listen(2.0)
    story.tell(CallerSpoke("c1"))
    assert not story.conversation._held_speech.is_held
    story.wait(0.1)
    story.tell(CallerPaused("c1"))
    assert story.noted(notes.SpeechIgnored) == []


def test_short_speech_over_the_farewell_lets_the_bot_leave() -> None:
    """>> "bye" over the last words << the call ends after them, and after the answer to that turn."""
    story = story_with(min_speech_ms=300)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16000))
    story.tell(ToolCalled("r", "call_1", "end_call", "{}"))
    story.tell(ReplyComplete("r", "i"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.listen(0.5)
    story.tell(CallerSpoke("c1"))
    story.wait(0.2)
    story.tell(CallerPaused("c1"))
    story.tell(TurnCommitted("c1"))
    story.answer(response="r2", item="i2")
    assert story.noted(notes.HangUpCancelled) == []
    assert story.listen(30.0)[-1] == EndCall(EndReason.BOT_HUNG_UP, "bot")


def test_a_greeting_that_must_be_heard_is_not_interrupted_by_held_speech() -> None:
    """>> long speech over a protected greeting << nothing, although the speech was held and became long enough."""
    settings = CallSettings(
        greeting=SayText("Hello."), interruptible=False, barge_in_rules=BargeInRules(min_speech_ms=300)
    )
    story = Story(settings)
    story.answer(request=story.requests[-1], seconds=2)
    story.listen(0.5)
    assert story.tell(CallerSpoke("c1")) == []
    assert story.listen(0.7) == []
