"""Turns, replies and their ends, told as stories: what each is noted with, and what follows it."""

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason, ShutDown
from gateway.call.errands import RunFunction
from gateway.call.settings import CallSettings, Digits, FunctionRule, KeyAction, Secret, Silence
from gateway.call.tools.tools import NOT_DONE
from gateway.function import SecretDigits
from gateway.phone.commands import StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed
from gateway.voice.commands import (
    CancelResponse,
    CreateResponse,
    ReturnToolOutput,
    SayText,
    TruncateReply,
)
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
from tests.story import READY, SILENCE, SPEECH, Story

STILL_THERE = SayText("Still there?")
REMINDED = CallSettings(silence=Silence(10, STILL_THERE, 2))
SECRET = FunctionRule(secrets=(Secret(SecretDigits("card", timeout_s=10, pause_s=5)),))
PRIVATE = CallSettings(functions={"pay": SECRET}, digits=Digits(), stream_silence_limit_s=60)


def turn(story: Story, item: str) -> None:
    """The caller takes a turn, and the service answers it."""
    story.tell(CallerSpoke(item))
    story.tell(CallerPaused(item))
    story.tell(TurnCommitted(item))
    story.answer(response=f"of {item}", item=f"to {item}")


def reminded(story: Story, count: int) -> None:
    """Ten seconds of silence, and a reminder, which is said."""
    assert story.listen(9.8) == []
    assert story.listen(0.4) == [STILL_THERE]
    assert story.noted(notes.SilencePrompt)[-1] == notes.SilencePrompt(count)
    story.answer(response=f"of {story.requests[-1]}", item=f"says {story.requests[-1]}", request=story.requests[-1])
    story.listen(1.1)


def keyed(story: Story, keys: str) -> list[object]:
    """Press keys one after the other."""
    return [command for key in keys for command in story.tell(DigitPressed(key))]


def test_a_turn_that_is_committed_without_a_pause_is_over() -> None:
    """>> speech, and only ``committed`` behind it << a text is said behind the answer."""
    story = Story(CallSettings(on_key={"9": KeyAction(say=STILL_THERE)}))
    story.tell(CallerSpoke("u"))
    assert story.tell(DigitPressed("9")) == []
    story.tell(TurnCommitted("u"))
    assert story.answer(response="r", item="i") == [STILL_THERE]


def test_the_end_of_one_reply_is_not_the_end_of_the_next() -> None:
    """>> two replies of a response, the first complete << nothing is padded in the middle of the second."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i1", SPEECH))
    story.tell(ReplyAudio("r", "i2", SPEECH[:100]))
    story.tell(ReplyComplete("r", "i1"))
    story.listen(1)
    assert story.played == 160
    story.tell(ReplyAudio("r", "i2", SPEECH[:60]))
    assert story.played == 320
    story.tell(ReplyComplete("r", "i2"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.listen(1)
    assert story.played == 320
    assert [note.item_id for note in story.noted(notes.ReplyHeard)] == ["i1", "i2"]


def test_an_interruption_after_the_generation_is_noted_too() -> None:
    """>> speech over a finished reply << noted, and no response was cancelled; over nothing << not noted."""
    story = Story()
    story.answer(seconds=3)
    story.listen(1)
    story.tell(CallerSpoke("u"))
    (noted,) = story.noted(notes.BargeIn)
    assert noted.response_cancelled is False
    story.tell(CallerPaused("u"))
    story.tell(CallerSpoke("v"))
    assert len(story.noted(notes.BargeIn)) == 1


def test_a_pause_before_the_last_turn_is_in_no_latency() -> None:
    """>> a turn, another whose end is only committed, and the answer << nobody knows since when the caller waits."""
    story = Story()
    story.tell(CallerSpoke("u1"))
    story.tell(CallerPaused("u1"))
    story.wait(3)
    story.tell(CallerSpoke("u2"))
    story.tell(TurnCommitted("u2"))
    story.answer(response="r", item="i")
    assert story.noted(notes.ReplyStarted) == [notes.ReplyStarted("i", None)]


def test_a_reply_that_was_heard_as_far_as_it_came_is_cut_off_all_the_same() -> None:
    """>> speech when all that came was heard, and more would come << truncated there; one heard to its end is not."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 25))
    story.listen(1)
    assert story.tell(CallerSpoke("u")) == [CancelResponse("r"), TruncateReply("i", 500)]
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    story.listen(1.5)
    assert story.tell(CallerSpoke("v")) == []


def test_an_interruption_before_the_first_sound_is_noted() -> None:
    """>> speech between the response and its first audio << noted, with a response that was cancelled and no reply."""
    story = Story()
    story.tell(ResponseStarted("r"))
    assert story.tell(CallerSpoke("u")) == [CancelResponse("r")]
    assert story.noted(notes.BargeIn) == [notes.BargeIn(replies=[], response_cancelled=True)]


def test_a_turn_that_a_key_ends_releases_what_waited_for_it() -> None:
    """>> a text that a key wants within a manual turn, and its end << the text, and the answer behind it."""
    story = Story(CallSettings(commit_on="#", on_key={"9": KeyAction(say=STILL_THERE)}))
    story.tell(CallerSpoke("u"))
    assert story.tell(DigitPressed("9")) == []
    assert story.tell(TurnCommitted("u")) == [STILL_THERE]
    assert story.answer(request=story.requests[-1]) == [CreateResponse()]


def test_a_response_that_was_cut_short_as_it_left_is_noted() -> None:
    """>> end_call without a word in a response that is incomplete << noted, and the goodbye is asked for."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    (goodbye,) = story.tell(ResponseEnded("r", ResponseStatus.INCOMPLETE, "max_output_tokens"))
    assert isinstance(goodbye, CreateResponse)
    assert story.noted(notes.ResponseCutShort) == [notes.ResponseCutShort("incomplete", "max_output_tokens")]


def test_privacy_ends_at_its_last_moment() -> None:
    """>> a key exactly three seconds behind the last << it is one again."""
    story = Story(PRIVATE)
    story.call("pay")
    keyed(story, "4111#")
    story.wait(3.0)
    keyed(story, "7")
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("7")]


def test_an_older_pause_within_a_turn_is_in_no_latency() -> None:
    """>> the end of the first turn within the second, and a response << cancelled; the next has no latency."""
    story = Story()
    story.tell(CallerSpoke("u1"))
    story.tell(CallerSpoke("u2"))
    story.tell(CallerPaused("u1"))
    assert story.tell(ResponseStarted("r")) == [CancelResponse("r")]
    story.tell(ResponseEnded("r", ResponseStatus.CANCELLED))
    story.wait(2)
    story.tell(TurnCommitted("u2"))
    story.answer(response="r2", item="i2")
    assert story.noted(notes.ReplyStarted) == [notes.ReplyStarted("i2", None)]


def test_a_line_without_barge_in_answers_into_a_turn() -> None:
    """>> the answer to a turn while the next is being spoken << it is heard: nobody interrupts on such a line."""
    story = Story(CallSettings(barge_in=False))
    story.tell(CallerSpoke("u1"))
    story.tell(CallerPaused("u1"))
    story.tell(CallerSpoke("u2"))
    assert story.tell(ResponseStarted("r")) == []
    story.tell(ReplyAudio("r", "i", SPEECH * 10))
    assert story.played == 1600


def test_the_time_of_silence_begins_behind_whatever_the_bot_says() -> None:
    """>> five seconds of silence, and words that nobody asked for << ten seconds from the end of these."""
    story = Story(REMINDED)
    story.listen(5)
    story.answer(seconds=3)
    assert story.listen(3.1) == []
    reminded(story, 1)


def test_the_phone_falls_silent_when_the_call_ends() -> None:
    """>> shut down while the bot speaks << the phone is told to stop, what was heard is noted, then the end."""
    story = Story()
    story.answer(seconds=3)
    story.listen(1)
    assert story.tell(ShutDown()) == [StopPlayback(), EndCall(EndReason.SHUT_DOWN, "gateway")]
    assert [note.item_id for note in story.noted(notes.ReplyHeard)] == ["i"]


def test_a_late_call_of_an_older_response_is_not_carried_out() -> None:
    """>> a call of a response that is over, while the next one runs << told that it was not carried out."""
    story = Story(CallSettings(functions={"look": FunctionRule()}))
    story.answer(response="r1", item="i1")
    story.tell(ResponseStarted("r2"))
    assert story.tell(ToolCalled("r1", "c", "look", "{}")) == [ReturnToolOutput("c", NOT_DONE)]
    assert story.tell(ToolCalled("r2", "d", "look", "{}")) == [RunFunction("d", "look", "{}")]


def test_a_session_that_is_told_twice_greets_once() -> None:
    """>> ready, ready, the greeting << it is not said again behind itself."""
    story = Story(CallSettings(greeting=SayText("Hello.")))
    assert story.tell(READY) == []
    story.answer(response="g", item="ig", request=story.requests[-1])
    story.goes_on()
    assert len(story.noted(notes.SessionReady)) == 1


def test_more_audio_than_anybody_can_say_ends_the_call() -> None:
    """>> a minute of audio at once << the stream is broken."""
    ended = Story().tell(CallerAudio(SILENCE * 3000))[-1]
    assert ended == EndCall(EndReason.STREAM_BROKEN, "provider", "more than real time and 10 s of audio or keys")


def test_speech_of_the_caller_is_noted_as_it_begins() -> None:
    """Over the bot's voice or into silence."""
    story = Story()
    story.tell(CallerSpoke("c1"))
    story.tell(CallerPaused("c1"))
    story.tell(TurnCommitted("c1"))
    story.answer(response="r1", item="i1", seconds=3)
    story.wait(1.0)
    story.tell(CallerSpoke("c2"))
    assert story.noted(notes.CallerSpoke) == [
        notes.CallerSpoke("c1", over_reply=False),
        notes.CallerSpoke("c2", over_reply=True),
    ]


def test_a_response_is_noted_as_it_begins_and_a_reply_once_it_was_played() -> None:
    """Asked for by the gateway, or the service's own; a reply of which nothing was heard has no way to tell of."""
    story = Story(CallSettings(greeting=SayText("Hello.")))
    story.answer(response="r0", item="i0", request=story.requests[-1])
    story.listen(1.5)
    story.answer(response="r1", item="i1")
    story.listen(1.5)
    assert story.noted(notes.ResponseStarted) == [
        notes.ResponseStarted("r0", asked=True),
        notes.ResponseStarted("r1", asked=False),
    ]
    assert [(note.item_id, note.sent_after_ms, note.late_frames) for note in story.noted(notes.ReplyPlayed)] == [
        ("i0", 0, 0),
        ("i1", 0, 0),
    ]
    story.answer(response="r2", item="i2", seconds=3)
    story.answer(response="r3", item="i3", seconds=3)
    story.wait(1.0)
    story.tell(CallerSpoke("c1"))
    assert [note.item_id for note in story.noted(notes.ReplyHeard)] == ["i0", "i1", "i2", "i3"]
    assert [note.item_id for note in story.noted(notes.ReplyPlayed)] == ["i0", "i1", "i2"]


def test_a_key_that_means_nothing_is_noted() -> None:
    """One of the line's keys is not, nor a digit where digits are collected, nor the key that ends them."""
    story = Story(CallSettings(on_key={"1": KeyAction(say=SayText("One."))}))
    keyed(story, "12#")
    assert story.noted(notes.DigitIgnored) == [notes.DigitIgnored("2"), notes.DigitIgnored("#")]
    story = Story(CallSettings(digits=Digits(finish_on="#")))
    keyed(story, "#12#")
    assert story.noted(notes.DigitIgnored) == []
    story = Story(ready=False)
    keyed(story, "1")
    assert story.noted(notes.DigitIgnored) == []
