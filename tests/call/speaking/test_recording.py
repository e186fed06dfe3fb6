"""The words before the greeting of a call that is recorded, and its notes, told as stories over the conversation."""

import pytest

from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.settings import CallSettings, Consent, FunctionRule, Recorded, RecordingRule, Secret
from gateway.call.speaking.greeting import ANNOUNCEMENT
from gateway.call.speaking.recording import Recording
from gateway.call.state import State
from gateway.call.tools.tools import LAST_KEYS_S, LATE_KEYS_S
from gateway.function import SecretDigits
from gateway.phone.commands import PlayAudio, StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed, PhoneClosed, PhoneEnd
from gateway.voice.commands import AddMessage, CancelResponse, SayText, SendAudio
from gateway.voice.events import ResponseEnded, ResponseStarted, ResponseStatus
from tests.story import READY, SILENCE, SPEECH, Story

NOTICE, ASK, HELLO = SayText("This call is recorded."), SayText("Press 1 if you agree."), SayText("Hello.")
CONSENT = Consent(ASK, "1", 5.0)
STARTED, AGREED = notes.RecordingStarted(consented=False), notes.RecordingStarted(consented=True)


def settings(announce: SayText | Recorded | None = None, consent: Consent | None = None) -> CallSettings:
    """A line that records."""
    return CallSettings(greeting=HELLO, recording=RecordingRule(announce, consent))


def told(story: Story) -> list[Note]:
    """The notes about the recording."""
    return [note for note in story.notes if type(note).__name__.startswith("Recording")]


def said(story: Story, number: int, seconds: int = 1) -> list[object]:
    """The service says what it was asked for, and the caller hears it; what follows."""
    response = f"r{number}"
    story.tell(ResponseStarted(response, story.requests[-1]))
    story.answer(seconds=seconds, response=response, item=f"i{number}", request=story.requests[-1])
    return [*story.listen(seconds + 0.5)]


def test_a_line_that_does_not_record_says_its_greeting() -> None:
    """>> ready << the greeting, and no note."""
    story = Story(CallSettings(greeting=HELLO), ready=False)
    assert HELLO in story.tell(READY)
    said(story, 1)
    story.goes_on()
    assert told(story) == []


def test_without_words_before_it_begins_with_the_call() -> None:
    """Before the session is there."""
    story = Story(settings(), ready=False)
    assert told(story) == [STARTED]
    assert HELLO in story.tell(READY)
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SPEECH)]


def test_the_announcement_comes_before_the_greeting() -> None:
    """>> heard << the greeting; nobody listens until then, and nothing interrupts."""
    story = Story(settings(NOTICE), ready=False)
    assert NOTICE in story.tell(READY)
    story.tell(ResponseStarted("r1", story.requests[-1]))
    story.answer(seconds=2, response="r1", item="i1", request=story.requests[-1])
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SILENCE)]
    assert story.tell(DigitPressed("1")) == []
    assert HELLO in story.listen(2.6)
    assert told(story) == [STARTED]
    story.wait(0.6)
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SPEECH)]


def test_an_announcement_from_a_file_begins_before_the_session() -> None:
    """And becomes part of the conversation, under an id of its own."""
    story = Story(settings(Recorded(b"\x10" * 16_000, "This call is recorded.")), ready=False)
    assert isinstance(story.begun[1], PlayAudio)
    assert HELLO not in story.tell(READY)
    heard = story.listen(3)
    assert AddMessage("assistant", "This call is recorded.") in heard
    assert HELLO in heard
    assert story.noted(notes.GreetingPlayed) == [notes.GreetingPlayed(ANNOUNCEMENT)]
    assert said(story, 1) == []
    story.goes_on()


def test_an_announcement_that_is_not_said_leaves_no_recording() -> None:
    """The service fails twice; the call goes on."""
    story = Story(settings(NOTICE))
    for number in range(2):
        story.tell(ResponseStarted(f"r{number}", story.requests[-1]))
        story.tell(ResponseEnded(f"r{number}", ResponseStatus.FAILED))
        story.listen(2)
    assert told(story) == [STARTED, notes.RecordingDiscarded("not announced")]


def test_a_caller_who_hangs_up_during_the_announcement_is_not_recorded() -> None:
    """They do not know of it."""
    story = Story(settings(NOTICE))
    story.tell(ResponseStarted("r", story.requests[-1]))
    story.answer(seconds=3, response="r", request=story.requests[-1])
    story.listen(1)
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert told(story) == [STARTED, notes.RecordingDiscarded("not announced")]


def test_a_caller_who_hangs_up_after_it_is() -> None:
    """It was heard."""
    story = Story(settings(NOTICE))
    said(story, 1)
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert told(story) == [STARTED]


def test_consent_is_asked_for_after_the_announcement() -> None:
    """>> the key << the recording begins, then the greeting."""
    story = Story(settings(NOTICE, CONSENT))
    assert ASK in said(story, 1)
    assert said(story, 2) == []
    assert story.listen(3) == []
    assert told(story) == []
    assert HELLO in story.tell(DigitPressed("1"))
    assert told(story) == [AGREED]
    said(story, 3)
    story.goes_on()


def test_the_key_may_come_during_the_question() -> None:
    """<< the question is cut off."""
    story = Story(settings(consent=CONSENT))
    story.tell(ResponseStarted("r1", story.requests[-1]))
    story.answer(seconds=3, response="r1", item="i1", request=story.requests[-1])
    story.listen(1)
    commands = story.tell(DigitPressed("1"))
    assert StopPlayback() in commands
    assert HELLO in commands
    assert told(story) == [AGREED]


def test_while_the_question_is_generated_it_is_cancelled() -> None:
    """<< and the greeting asked for once that is over."""
    story = Story(settings(consent=CONSENT))
    story.tell(ResponseStarted("r1", story.requests[-1]))
    assert CancelResponse("r1") in story.tell(DigitPressed("1"))
    assert HELLO in story.tell(ResponseEnded("r1", ResponseStatus.CANCELLED))
    assert told(story) == [AGREED]


def test_another_key_declines() -> None:
    """>> 2 << the call goes on without a recording."""
    story = Story(settings(consent=CONSENT))
    said(story, 1)
    assert HELLO in story.tell(DigitPressed("2"))
    assert told(story) == [notes.RecordingDeclined("key")]
    said(story, 2)
    story.goes_on()


def test_no_key_in_time_declines() -> None:
    """>> five seconds after the question << the greeting; a key that comes later is one like any other."""
    story = Story(settings(consent=CONSENT))
    said(story, 1)
    assert HELLO not in story.listen(4)
    assert HELLO in story.listen(1)
    assert told(story) == [notes.RecordingDeclined("no answer")]
    assert story.tell(DigitPressed("1")) == []
    assert told(story) == [notes.RecordingDeclined("no answer")]


def test_a_word_is_no_answer() -> None:
    """The service hears silence, until the question is decided."""
    story = Story(settings(consent=CONSENT))
    said(story, 1)
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SILENCE)]


def test_a_question_that_is_not_heard_is_no_consent() -> None:
    """Whatever was wrong with it."""
    story = Story(settings(consent=CONSENT))
    for number in range(2):
        story.tell(ResponseStarted(f"r{number}", story.requests[-1]))
        story.tell(ResponseEnded(f"r{number}", ResponseStatus.FAILED))
        story.listen(2)
    assert told(story) == [notes.RecordingDeclined("not asked")]


@pytest.mark.parametrize("seconds", [0, 2])
def test_a_caller_who_hangs_up_over_the_question_has_not_agreed(seconds: int) -> None:
    """Before its end or after it."""
    story = Story(settings(consent=CONSENT))
    story.tell(ResponseStarted("r1", story.requests[-1]))
    story.answer(seconds=1, response="r1", item="i1", request=story.requests[-1])
    story.listen(seconds)
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert told(story) == [notes.RecordingDeclined("no answer")]


def test_a_line_without_a_greeting_lets_the_caller_speak_after_it() -> None:
    """>> heard << the service listens."""
    story = Story(CallSettings(recording=RecordingRule(NOTICE)))
    assert said(story, 1) == []
    story.wait(0.6)
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SPEECH)]
    story.goes_on()


def test_a_closed_line_records_nothing() -> None:
    """It has its own words."""
    story = Story(CallSettings(greeting=HELLO, closed=True))
    said(story, 1)
    assert told(story) == []


SECRET = FunctionRule((Secret(SecretDigits("pin", length=4, timeout_s=10)),))


def entering(**rule: bool) -> Story:
    """A caller who is asked for a secret."""
    rules = RecordingRule(**rule)  # type: ignore[arg-type]  # a switch
    story = Story(CallSettings(functions={"pay": SECRET}, recording=rules))
    story.call("pay")
    return story


def test_the_recording_pauses_while_a_secret_is_keyed_in() -> None:
    """>> called << paused; >> the last key, and as long as late ones are private << resumed."""
    story = entering()
    assert told(story) == [STARTED, notes.RecordingPaused("secret")]
    for digit in "1234":
        story.tell(DigitPressed(digit))
    story.wait(LAST_KEYS_S - 0.1)
    assert len(told(story)) == 2
    story.wait(0.2)
    assert told(story)[2:] == [notes.RecordingContinued()]


def test_a_late_key_makes_the_pause_longer() -> None:
    """>> a fifth digit << three seconds more."""
    story = entering()
    for digit in "1234":
        story.tell(DigitPressed(digit))
    story.wait(2)
    story.tell(DigitPressed("5"))
    story.wait(LAST_KEYS_S - 0.1)
    assert len(told(story)) == 2
    story.wait(0.2)
    assert told(story)[2:] == [notes.RecordingContinued()]


def test_an_entry_that_ends_by_itself_is_private_for_longer() -> None:
    """>> nothing in time << the caller may only have been slow."""
    story = entering()
    story.listen(10 + LATE_KEYS_S - 0.5)
    assert len(told(story)) == 2
    story.listen(1)
    assert told(story)[2:] == [notes.RecordingContinued()]


def test_where_the_line_does_not_want_it_there_is_no_pause() -> None:
    """The tones are on the recording."""
    story = entering(pauses=False)
    story.tell(DigitPressed("1"))
    story.wait(60)
    assert told(story) == [STARTED]


def test_a_recording_that_is_discarded_does_not_go_on_after_a_pause() -> None:
    """Its deadline would be due for ever, and keep a processor busy."""
    recording = Recording(RecordingRule(NOTICE))
    recording.begin()
    assert recording.follow(2.0, 1.0) == (notes.RecordingPaused("secret"),)
    assert recording.next_deadline() == 2.0
    recording.said(1.5, was_heard=False)
    assert not recording.is_on
    assert recording.next_deadline() is None


def test_a_recording_that_was_declined_does_not_pause() -> None:
    """There is none."""
    story = Story(CallSettings(functions={"pay": SECRET}, recording=RecordingRule(None, CONSENT)))
    said(story, 1)
    story.tell(DigitPressed("9"))
    story.call("pay", response="r9")
    assert told(story) == [notes.RecordingDeclined("key")]
    assert story.conversation.state is State.TALKING


def test_a_call_without_a_rule_has_no_recording() -> None:
    """Nothing is due, and nothing is noted at its end."""
    recording = Recording(None)
    assert recording.begin() == ()
    assert not recording.is_opening
    assert recording.next_deadline() is None
    assert recording.abandon(was_heard=False) == ()
