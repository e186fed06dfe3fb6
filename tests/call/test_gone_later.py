"""States that must be gone later, told as stories that go on behind the first right answer."""

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import FunctionReturned, RunFunction, TransferCaller
from gateway.call.leaving import CALL_GOES_ON
from gateway.call.settings import CallSettings, Digits, FunctionRule, KeyAction, Secret, Silence, Target
from gateway.call.speaking.responses import ALREADY_ACTIVE
from gateway.function import SecretDigits
from gateway.phone.commands import StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed, Playout
from gateway.voice.commands import (
    AddMessage,
    CancelResponse,
    CommitTurn,
    CreateResponse,
    SayText,
    SendAudio,
    TruncateReply,
)
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    ToolCalled,
    TurnCommitted,
)
from tests.story import SILENCE, SPEECH, STARTED, Story

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


# The caller's silence


def test_reminders_are_counted_until_somebody_is_there() -> None:
    """>> silence << two reminders, each ten seconds behind what was heard last, and the end ten seconds later."""
    story = Story(REMINDED)
    reminded(story, 1)
    reminded(story, 2)
    assert story.listen(9.8) == []
    assert story.listen(0.4) == [EndCall(EndReason.SILENCE, "caller")]


@pytest.mark.parametrize("by", ["speech", "key"])
def test_a_caller_who_is_there_is_reminded_from_the_beginning(by: str) -> None:
    """>> a reminder, then a turn or a key << the next reminder is a first one again, ten seconds later."""
    story = Story(REMINDED)
    reminded(story, 1)
    story.listen(5)
    if by == "speech":
        turn(story, "u")
        story.listen(1.1)
    else:
        assert story.tell(DigitPressed("5")) == []
    reminded(story, 1)
    reminded(story, 2)


def test_a_cough_is_somebody_who_is_there() -> None:
    """>> a reminder, and a turn without a word that nobody answers << the count begins again."""
    story = Story(REMINDED)
    reminded(story, 1)
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(ResponseStarted("r"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    reminded(story, 1)


def test_the_time_of_silence_begins_behind_a_function() -> None:
    """>> a function of eight seconds, its answer << ten seconds from the end of the answer."""
    story = Story(CallSettings(functions={"look": FunctionRule()}, silence=REMINDED.silence))
    story.listen(5)
    story.call("look")
    assert story.listen(8) == []
    story.tell(FunctionReturned("call_1", "{}"))
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.1)
    reminded(story, 1)


def test_the_time_of_silence_begins_behind_digits() -> None:
    """>> digits, a pause that ends them, their answer << ten seconds from the end of the answer."""
    story = Story(CallSettings(digits=Digits(pause_s=8), silence=REMINDED.silence))
    story.listen(5)
    story.tell(DigitPressed("1"))
    assert story.listen(7.9) == []
    assert [type(command) for command in story.listen(0.3)] == [AddMessage, CreateResponse]
    story.answer(request=story.requests[-1])
    story.listen(1.1)
    reminded(story, 1)


# Latency


def test_a_turn_that_nobody_answered_is_in_no_latency() -> None:
    """>> a turn whose response is empty, and a reminder ten seconds later << nobody waited for the reminder."""
    story = Story(REMINDED)
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(ResponseStarted("r"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    reminded(story, 1)
    assert [note.latency_ms for note in story.noted(notes.ReplyStarted)] == [None]


def test_a_turn_that_was_interrupted_is_in_no_latency() -> None:
    """>> a turn, then another before its answer, and noise that has no end << the wait counts from the last pause."""
    story = Story()
    story.tell(CallerSpoke("u1"))
    story.tell(CallerPaused("u1"))
    story.wait(2)
    story.tell(CallerSpoke("u2"))
    story.wait(1)
    story.tell(ResponseStarted("r1"))
    story.tell(ResponseEnded("r1", ResponseStatus.CANCELLED))
    story.tell(ResponseStarted("r2"))
    story.tell(CallerPaused("u2"))
    story.wait(0.3)
    story.answer(response="r3", item="i3")
    assert story.noted(notes.ReplyStarted) == [notes.ReplyStarted("i3", 300)]


def test_an_answer_behind_a_text_that_was_dropped_has_its_latency() -> None:
    """>> speech before the greeting has begun, its response, and the answer << the caller waited for the answer."""
    story = Story(CallSettings(greeting=SayText("Hello.")))
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    assert story.tell(ResponseStarted("g", story.requests[-1])) == [CancelResponse("g")]
    story.tell(ResponseEnded("g", ResponseStatus.CANCELLED))
    story.wait(0.8)
    story.answer(response="r", item="i")
    assert story.noted(notes.ReplyStarted) == [notes.ReplyStarted("i", 800)]
    assert story.noted(notes.BargeIn) == [notes.BargeIn(replies=[], response_cancelled=True)]


def test_only_the_first_reply_of_an_answer_has_a_latency() -> None:
    """>> an answer of two items in several pieces << each is noted once, the second without a wait."""
    story = Story()
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.wait(0.5)
    story.tell(ResponseStarted("r"))
    for item in ("i1", "i1", "i2", "i2"):
        story.tell(ReplyAudio("r", item, SPEECH))
    assert story.noted(notes.ReplyStarted) == [notes.ReplyStarted("i1", 500), notes.ReplyStarted("i2", None)]


# Responses and requests


def test_an_answer_that_the_service_cancelled_is_not_tried_again() -> None:
    """>> cancelled << noted; nothing is asked for, and the call goes on."""
    story = Story()
    story.tell(ResponseStarted("r"))
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED, "why")) == []
    assert story.noted(notes.ResponseCutShort) == [notes.ResponseCutShort("cancelled", "why")]
    story.goes_on()


def test_an_answer_that_ends_incomplete_is_tried_again_where_it_brought_no_sound() -> None:
    """>> incomplete without a sound, twice << asked for once more; with words << heard, and nothing is asked for."""
    story = Story()
    story.tell(ResponseStarted("r"))
    assert story.tell(ResponseEnded("r", ResponseStatus.INCOMPLETE, "max_output_tokens")) == []
    assert story.listen(1.1) == [CreateResponse()]
    story.tell(ResponseStarted("r2", story.requests[-1]))
    assert story.tell(ResponseEnded("r2", ResponseStatus.INCOMPLETE, "max_output_tokens")) == []
    story.goes_on()

    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 50))
    assert story.tell(ResponseEnded("r", ResponseStatus.INCOMPLETE, "max_output_tokens")) == []
    story.goes_on()


def test_an_answer_that_failed_half_way_is_not_tried_again() -> None:
    """>> failed behind its first words << the words are heard to their end; nothing is asked for."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 50))
    story.tell(ResponseEnded("r", ResponseStatus.FAILED, "server"))
    assert story.listen(1.5) == []
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("i", 1000, 1000)]
    story.goes_on()


@pytest.mark.parametrize("status", list(ResponseStatus))
def test_an_interruption_is_no_fault_of_the_response(status: ResponseStatus) -> None:
    """>> barge-in, the end of the cancelled response << noted as an interruption alone, whatever its end is called."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 100))
    story.listen(0.5)
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()
    assert story.tell(ResponseEnded("r", status, "turn_detected")) == []
    assert story.noted(notes.ResponseCutShort) == []
    assert len(story.noted(notes.BargeIn)) == 1


def test_a_response_that_was_given_up_leaves_nothing() -> None:
    """>> half a reply and no end << its words count as heard; the late end and late audio of it mean nothing."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 50))
    assert story.listen(10.1) == [CancelResponse("r")]
    assert story.noted(notes.ResponseCutShort) == [notes.ResponseCutShort("given_up", "nothing more came of it")]
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("i", 1000, 1000)]
    assert story.listen(3.1) == []
    assert story.tell(ReplyAudio("r", "i", SPEECH)) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []
    story.goes_on()


def test_a_long_response_is_not_given_up() -> None:
    """>> a piece every nine seconds << each is a sign of life."""
    story = Story()
    story.tell(ResponseStarted("r"))
    for _ in range(4):
        story.tell(ReplyAudio("r", "i", SPEECH * 50))
        assert story.listen(9) == []
    story.tell(ReplyComplete("r", "i"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.goes_on()


def test_a_call_of_a_function_is_a_sign_of_life() -> None:
    """>> a call after nine seconds, the response's end nine seconds later << it is not given up."""
    story = Story(CallSettings(functions={"look": FunctionRule()}))
    story.tell(ResponseStarted("r"))
    assert story.listen(9) == []
    assert story.tell(ToolCalled("r", "c", "look", "{}")) == [RunFunction("c", "look", "{}")]
    assert story.listen(9) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []


def test_a_turn_over_a_response_that_was_cancelled_is_answered_by_the_service() -> None:
    """>> barge-in, the end of the turn before the cancelled response has ended << the service answers: once."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 100))
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()
    assert story.tell(CallerPaused("u")) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == []
    story.answer(response="r2", item="i2")
    story.goes_on()


def test_audio_of_a_cancelled_response_is_nobodys_until_the_next() -> None:
    """>> barge-in, late audio, its end, the next answer << only that is heard; its end is its own."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 100))
    story.tell(CallerSpoke("u"))
    assert story.tell(ReplyAudio("r", "late", SPEECH)) == []
    story.tell(CallerPaused("u"))
    story.tell(ResponseStarted("r2"))
    story.tell(ReplyAudio("r2", "i2", SPEECH * 50))
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == []
    assert story.listen(0.5) == []
    story.tell(ReplyAudio("r2", "i2", SPEECH * 50))
    story.tell(ReplyComplete("r2", "i2"))
    story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED))
    story.listen(2)
    assert story.noted(notes.ReplyHeard)[-1] == notes.ReplyHeard("i2", 2000, 2000)
    assert [note.item_id for note in story.noted(notes.ReplyStarted)] == ["i", "i2"]


def test_a_greeting_that_was_said_after_all_is_said_once() -> None:
    """>> refused because a response ran, asked for again, said << not a third time."""
    story = Story(CallSettings(greeting=SayText("Hello.")))
    story.tell(ResponseStarted("other", "somebody-else"))
    story.tell(ServiceError(ALREADY_ACTIVE, "active", story.requests[-1]))
    assert story.tell(ResponseEnded("other", ResponseStatus.COMPLETED)) == [SayText("Hello.")]
    story.answer(response="g", item="ig", request=story.requests[-1])
    story.goes_on()
    assert story.noted(notes.ServiceError) == [notes.ServiceError(ALREADY_ACTIVE, "active")]


# Leaving


def test_a_key_that_commits_keeps_the_call_for_good() -> None:
    """>> end_call, then the key that commits << the hang-up is off, a minute later too."""
    story = Story(CallSettings(commit_on="#"))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 100))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.listen(0.2)
    told = story.tell(DigitPressed("#"))
    assert [type(command) for command in told] == [StopPlayback, CancelResponse, TruncateReply, AddMessage, CommitTurn]
    story.tell(ResponseEnded("r", ResponseStatus.CANCELLED))
    assert story.tell(TurnCommitted("u")) == [CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.listen(120) == []


def test_a_line_without_barge_in_keeps_the_call_for_good() -> None:
    """>> end_call, speech over the farewell on a line that talks on << the call goes on, a minute later too."""
    story = Story(CallSettings(barge_in=False))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 50))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(CallerSpoke("u")) == [CALL_GOES_ON]
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.answer(response="r2", item="i2")
    story.goes_on(interruptible=False)


def test_a_farewell_that_is_not_confirmed_ends_with_its_reason() -> None:
    """>> last words that nobody confirms << the end after the line's limit, and why."""
    story = Story(CallSettings(farewell_limit_s=5), started=replace(STARTED, playout=Playout(returns_marks=False)))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 480_000))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.tell(CallerAudio(SILENCE))
    (end,) = [command for command in story.wait(5.1) if isinstance(command, EndCall)]
    assert end == EndCall(EndReason.BOT_HUNG_UP, "bot", "the last words were not confirmed as heard")


def test_a_caller_who_is_connected_at_the_limit_is_heard_by_nobody_from_then_on() -> None:
    """>> an announcement that nobody confirms as heard, its limit << the transfer, and silence for the service."""
    settings = CallSettings(
        farewell_limit_s=5, built_in=frozenset({"transfer_call"}), targets={"desk": DESK}, digits=Digits(pause_s=1)
    )
    story = Story(settings, started=replace(STARTED, playout=Playout(returns_marks=False)))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 480_000))
    story.tell(ToolCalled("r", "c", "transfer_call", '{"target":"desk"}'))
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SPEECH)]
    for _ in range(49):
        story.wait(0.1)
        assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SPEECH)]
    assert TransferCaller("desk", "+14255550199") in story.wait(0.1)
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SILENCE)]


# Privacy


def keyed(story: Story, keys: str) -> list[object]:
    """Press keys one after the other."""
    return [command for key in keys for command in story.tell(DigitPressed(key))]


@pytest.mark.parametrize(("ended_by", "private_s"), [("key", 3.0), ("pause", 15.0), ("nothing", 15.0)])
def test_keys_behind_an_entry_are_private_to_the_second(ended_by: str, private_s: float) -> None:
    """Three seconds behind the last key, fifteen where the entry ended by itself; then a key is one again."""
    for is_late in (False, True):
        story = Story(PRIVATE)
        story.call("pay")
        if ended_by != "nothing":
            keyed(story, "4111#" if ended_by == "key" else "4111")
        if ended_by != "key":
            while not story.noted(notes.SecureEntryEnded):
                story.wait(story.conversation.next_deadline() - story.now)
        assert story.noted(notes.SecureEntryEnded)[-1].outcome == ("nothing" if ended_by == "nothing" else "entered")
        story.wait(private_s + (0.01 if is_late else -0.01))
        keyed(story, "7")
        assert story.noted(notes.DigitPressed) == ([notes.DigitPressed("7")] if is_late else [])


def test_every_late_key_keeps_the_next_three_seconds_private() -> None:
    """>> keys two seconds apart behind an entry << all of them private; three seconds behind the last, one is a key."""
    story = Story(PRIVATE)
    story.call("pay")
    keyed(story, "4111#")
    for key in "22223333":
        story.wait(2.9)
        assert keyed(story, key) == []
    assert story.noted(notes.DigitPressed) == []
    story.wait(3.01)
    keyed(story, "7")
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("7")]


def test_a_late_key_does_not_make_the_privacy_shorter() -> None:
    """>> a key one second behind an entry that a pause ended << private for the fifteen seconds all the same."""
    story = Story(PRIVATE)
    story.call("pay")
    keyed(story, "4111")
    story.listen(5.2)
    assert keyed(story, "2") == []
    story.wait(13)
    assert keyed(story, "3") == []
    assert story.noted(notes.DigitPressed) == []


def test_an_entry_in_time_is_heard_of_no_more() -> None:
    """>> an entry, its function, its answer << two minutes later the caller is heard, and a key is one."""
    story = Story(CallSettings(functions={"pay": SECRET}))
    story.call("pay")
    keyed(story, "4111#")
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SILENCE)]
    story.tell(FunctionReturned("call_1", "{}"))
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()
    keyed(story, "7")
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("7")]


# Notes


def test_what_the_session_tells_is_noted() -> None:
    """The session's id and model, what the bot said, and a warning of the service."""
    story = Story()
    assert story.noted(notes.SessionReady) == [notes.SessionReady("sess_1", "gpt-realtime")]
    assert story.tell(ReplySaid("r", "i", "Good day.")) == []
    assert story.noted(notes.ReplySaid) == [notes.ReplySaid("i", "Good day.")]
    assert story.tell(ServiceWarning("slow", "It takes long.")) == []
    assert story.noted(notes.ServiceWarning) == [notes.ServiceWarning("slow", "It takes long.")]
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    assert story.noted(notes.CallerPaused) == [notes.CallerPaused("u")]
    assert story.noted(notes.CallerSpoke) == [notes.CallerSpoke("u", over_reply=False)]


def test_an_interruption_is_noted_with_what_was_heard() -> None:
    """>> speech over the first of two replies << both are named, with what was heard of each."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i1", SPEECH * 50))
    story.tell(ReplyComplete("r", "i1"))
    story.tell(ReplyAudio("r", "i2", SPEECH * 50))
    story.listen(0.5)
    told = story.tell(CallerSpoke("u"))
    (noted,) = story.noted(notes.BargeIn)
    replies = noted.replies
    assert [reply.item_id for reply in replies] == ["i1", "i2"]
    assert [reply.received_ms for reply in replies] == [1000, 1000]
    assert replies[1].heard_ms == 0
    assert noted.response_cancelled is True
    cut = [command for command in told if isinstance(command, TruncateReply)]
    assert cut == [TruncateReply("i1", replies[0].heard_ms)], "of the other one nothing was heard"


# A closed line


DESK = Target("desk", "+14255550199", SayText("One moment."))


@pytest.mark.parametrize("target", [None, DESK])
def test_a_closed_line_with_words_leaves_for_its_target(target: Target | None) -> None:
    """>> the words are heard << the end, or the transfer; keys and speech on the way change nothing."""
    settings = CallSettings(
        greeting=SayText("Closed."),
        interruptible=False,
        closed=True,
        closed_to=target,
        on_key={"9": KeyAction(say=SayText("Hours."))},
    )
    story = Story(settings)
    story.answer(request=story.requests[-1])
    assert story.tell(CallerSpoke("u")) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    told = story.listen(2.5)
    assert len(told) == 1
    assert getattr(told[0], "target", None) == (target.name if target else None)
    assert target is not None or told == [EndCall(EndReason.LINE_CLOSED, "bot")]
