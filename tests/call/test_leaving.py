"""Transfers, and calls of a closed line, told as stories over the conversation."""

import pytest

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import TransferCaller, TransferEnded
from gateway.call.leaving import CALL_GOES_ON
from gateway.call.settings import CallSettings, Recorded, Target
from gateway.call.tools.tools import BEING_TRANSFERRED
from gateway.phone.commands import PlayAudio, StopPlayback
from gateway.phone.events import CallerAudio, PhoneClosed, PhoneEnd
from gateway.voice.commands import AddMessage, CreateResponse, ReturnToolOutput, SayText, SendAudio, TruncateReply
from gateway.voice.events import (
    CallerSpoke,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    VoiceClosed,
    VoiceEnd,
)
from tests.story import READY, SILENCE, Story

ANNOUNCE = SayText("I am connecting you.")
DESK = Target("desk", "+14255550199", ANNOUNCE)
SETTINGS = CallSettings(built_in=frozenset({"end_call", "transfer_call"}), targets={"desk": DESK})
ASKED = '{"target": "desk"}'
TRANSFER = TransferCaller("desk", "+14255550199")


def transferring(story: Story) -> Story:
    """The announcement has been heard, and the provider is asked."""
    story.call("transfer_call", ASKED)
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.listen(1.5) == [TRANSFER]
    return story


def test_the_announcement_is_heard_before_the_transfer() -> None:
    """>> transfer_call without a word << its output, the announcement, and the transfer behind its last mark."""
    story = Story(SETTINGS)
    output, said = story.call("transfer_call", ASKED)
    assert isinstance(output, ReturnToolOutput)
    assert said == ANNOUNCE
    assert story.answer(response="r2", item="i2", request=story.requests[-1], seconds=3) == []
    assert story.listen(2.8) == []
    assert story.listen(0.4) == [TRANSFER]
    assert story.noted(notes.TransferStarted) == [notes.TransferStarted("desk")]


def test_the_models_own_announcement_is_enough() -> None:
    """>> words and transfer_call in one response << no other announcement."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 8000))
    story.tell(ToolCalled("r", "c", "transfer_call", ASKED))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []
    assert story.listen(1.5) == [TRANSFER]


@pytest.mark.parametrize("arguments", ["{}", '{"target": "+14255550123"}', '{"target": 7}', "desk"])
def test_the_model_invents_no_targets(arguments: str) -> None:
    """>> transfer_call to anything but a name of the line << an error that tells the names; no transfer."""
    story = Story(SETTINGS)
    output, answer = story.call("transfer_call", arguments)
    assert output == ReturnToolOutput("call_1", '{"error":"unknown target, expected one of desk"}')
    assert answer == CreateResponse()


def test_a_caller_who_speaks_over_the_announcement_stays() -> None:
    """>> speech over the announcement << silenced, told to the model, and no transfer."""
    story = Story(SETTINGS)
    story.call("transfer_call", ASKED)
    story.answer(response="r2", item="i2", request=story.requests[-1], seconds=3)
    story.listen(1)
    told = story.tell(CallerSpoke("u"))
    assert [type(command) for command in told] == [StopPlayback, TruncateReply, AddMessage]
    assert told[-1] == CALL_GOES_ON
    assert story.listen(5) == []
    assert story.noted(notes.HangUpCancelled) == [notes.HangUpCancelled("desk", "model")]


def test_nobody_hears_the_caller_during_the_transfer() -> None:
    """>> audio and speech while the provider connects << silence for the service, and nothing is interrupted."""
    story = transferring(Story(SETTINGS))
    assert story.tell(CallerAudio(b"\x01" * 160)) == [SendAudio(SILENCE)]
    assert story.tell(CallerSpoke("u")) == []


@pytest.mark.parametrize(("tool", "arguments"), [("end_call", "{}"), ("transfer_call", ASKED)])
def test_the_model_cannot_leave_during_the_transfer(tool: str, arguments: str) -> None:
    """>> end_call of a late response while the provider connects << refused; what the provider says decides."""
    story = transferring(Story(SETTINGS))
    assert story.call(tool, arguments, call_id="late", response="r9") == [ReturnToolOutput("late", BEING_TRANSFERRED)]
    assert story.listen(70) == []
    (ended,) = story.tell(PhoneClosed(PhoneEnd.LOST))
    assert isinstance(ended, EndCall)
    assert ended.reason is EndReason.STREAM_LOST


def test_a_transferred_call_ends_with_its_stream() -> None:
    """>> the provider has connected, and ends the stream << transferred, by the bot."""
    story = transferring(Story(SETTINGS))
    assert story.tell(TransferEnded()) == []
    assert story.tell(PhoneClosed(PhoneEnd.HUNG_UP)) == [EndCall(EndReason.TRANSFERRED, "bot")]
    assert story.noted(notes.Transferred) == [notes.Transferred("desk")]


def test_the_stream_may_end_before_the_provider_answers() -> None:
    """>> the stream ends first << transferred as well; noted once."""
    story = transferring(Story(SETTINGS))
    assert story.tell(PhoneClosed(PhoneEnd.HUNG_UP)) == [EndCall(EndReason.TRANSFERRED, "bot")]
    assert story.noted(notes.Transferred) == [notes.Transferred("desk")]


def test_a_stream_that_outlives_its_caller_is_closed() -> None:
    """>> connected, and the stream goes on << closed after a while."""
    story = transferring(Story(SETTINGS))
    story.tell(TransferEnded())
    assert story.listen(4.8) == []
    assert story.listen(0.5) == [EndCall(EndReason.TRANSFERRED, "bot")]


def test_a_failed_transfer_is_told_and_the_call_goes_on() -> None:
    """>> the provider could not << the model knows, says so, and hears the caller again."""
    story = transferring(Story(SETTINGS))
    told, answer = story.tell(TransferEnded("POST https://api was answered with 500"))
    assert isinstance(told, AddMessage)
    assert told.role == "system"
    assert "desk" in told.text
    assert "500" not in told.text
    assert answer == CreateResponse()
    story.listen(0.6)
    assert story.tell(CallerAudio(b"\x01" * 160)) == [SendAudio(b"\x01" * 160)]
    assert story.noted(notes.TransferFailed)[0].target == "desk"


def test_a_transfer_that_is_taken_back_goes_on_with_the_call() -> None:
    """>> connected, and then that nobody took the call << told like any other failure; no end comes of it."""
    story = transferring(Story(SETTINGS))
    story.tell(TransferEnded())
    told, answer = story.tell(TransferEnded("CallTransferFailed"))
    assert (isinstance(told, AddMessage), answer) == (True, CreateResponse())
    story.answer(response="again", item="ia", request=story.requests[-1])
    assert story.listen(9) == []
    assert story.tell(TransferEnded("CallTransferFailed")) == []


def test_a_transfer_that_fails_late_leaves_no_deadline() -> None:
    """>> connected, and then not << the model says so, and nobody is transferred again when the grace is over."""
    story = transferring(Story(SETTINGS))
    story.tell(TransferEnded())
    story.tell(TransferEnded("hung up there"))
    story.answer(response="r3", item="i3", request=story.requests[-1])
    assert story.listen(20) == []
    assert story.conversation.state.name == "TALKING"


def test_a_broken_stream_is_no_transfer() -> None:
    """>> the connection breaks during the transfer << stream lost."""
    story = transferring(Story(SETTINGS))
    (ended,) = story.tell(PhoneClosed(PhoneEnd.LOST))
    assert isinstance(ended, EndCall)
    assert ended.reason is EndReason.STREAM_LOST


def test_a_farewell_of_any_length_is_heard() -> None:
    """A goodbye of 20 s is heard to its last frame before the hang-up."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 160_000))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(19.8) == []
    assert story.listen(0.4) == [EndCall(EndReason.BOT_HUNG_UP, "bot")]
    assert story.played == 160_000


def test_a_line_without_barge_in_keeps_a_caller_who_speaks() -> None:
    """>> speech over the farewell where the bot finishes first << it goes on speaking, and does not hang up."""
    story = Story(CallSettings(barge_in=False))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 8000))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(CallerSpoke("u")) == [CALL_GOES_ON]
    assert story.listen(5) == []


def test_a_closed_line_says_so_and_hangs_up() -> None:
    """>> ready on a closed line << the words, which nobody interrupts, then the end."""
    closed = SayText("We are closed.")
    story = Story(CallSettings(greeting=closed, interruptible=False, closed=True), ready=False)
    assert story.noted(notes.ClosedLine) == [notes.ClosedLine()]
    assert story.tell(READY) == [closed]
    story.answer(request=story.requests[-1])
    assert story.tell(CallerSpoke("u")) == []
    assert story.listen(31)[-1] == EndCall(EndReason.LINE_CLOSED, "bot")


def test_a_closed_line_may_have_its_words_recorded_and_needs_no_session() -> None:
    """>> a recording and a transfer << played from the first moment, then the transfer, with no session at all."""
    settings = CallSettings(greeting=Recorded(b"\x10" * 8000), interruptible=False, closed=True, closed_to=DESK)
    story = Story(settings, ready=False)
    assert isinstance(story.begun[1], PlayAudio)
    assert story.listen(0.8) == []
    assert story.listen(0.4) == [TRANSFER]
    assert story.tell(TransferEnded("it is busy")) == [EndCall(EndReason.LINE_CLOSED, "bot", "it is busy")]


def test_a_closed_line_may_just_transfer() -> None:
    """A closed line without words transfers at once."""
    assert Story(CallSettings(closed=True, closed_to=DESK), ready=False).begun == [TRANSFER]


@pytest.mark.parametrize("event", [PhoneClosed(PhoneEnd.LOST), PhoneClosed(PhoneEnd.HUNG_UP)])
def test_a_transferred_call_ends_as_that_however_its_stream_ends(event: PhoneClosed) -> None:
    """>> connected, then the stream ends or breaks << transferred: nothing is done to the caller any more."""
    story = transferring(Story(SETTINGS))
    story.tell(TransferEnded())
    assert story.tell(event) == [EndCall(EndReason.TRANSFERRED, "bot")]


def test_a_transfer_does_not_need_the_service() -> None:
    """>> the session is lost while the provider connects << the transfer goes on, and is told as one."""
    story = transferring(Story(SETTINGS))
    assert story.tell(VoiceClosed(VoiceEnd.LOST)) == []
    assert story.tell(TransferEnded()) == []
    assert story.tell(PhoneClosed(PhoneEnd.HUNG_UP)) == [EndCall(EndReason.TRANSFERRED, "bot")]


def test_a_failed_transfer_without_a_service_ends_the_call() -> None:
    """>> the session is lost, and the transfer fails << nobody is left to talk to."""
    story = transferring(Story(SETTINGS))
    story.tell(VoiceClosed(VoiceEnd.LOST, "gone"))
    assert story.tell(TransferEnded("it is busy")) == [EndCall(EndReason.VOICE_LOST, "service", "gone")]


def test_a_closed_line_hears_nobody() -> None:
    """>> the caller speaks, before and after the session is there << silence for the service, which answers nobody."""
    story = Story(CallSettings(greeting=SayText("Closed."), interruptible=False, closed=True), ready=False)
    story.tell(CallerAudio(b"\x01" * 160))
    assert story.tell(READY) == [SayText("Closed.")]
    assert story.tell(CallerAudio(b"\x01" * 160)) == [SendAudio(SILENCE)]


def test_a_long_recording_of_a_closed_line_is_heard_to_its_end() -> None:
    """The limit of last words counts from the end of what is being played."""
    settings = CallSettings(greeting=Recorded(b"\x10" * 8000 * 75), interruptible=False, closed=True)
    story = Story(settings, ready=False)
    assert story.listen(74.8) == []
    assert story.listen(0.5) == [EndCall(EndReason.LINE_CLOSED, "bot")]


@pytest.mark.parametrize("end", [*PhoneEnd, *VoiceEnd])
def test_an_end_of_a_leg_is_told_with_its_words(end: PhoneEnd | VoiceEnd) -> None:
    """What the leg says of its end reaches the end of the call."""
    closed = PhoneClosed(end, "1006") if isinstance(end, PhoneEnd) else VoiceClosed(end, "1006")
    (ended,) = Story().tell(closed)
    assert isinstance(ended, EndCall)
    assert ended.detail == "1006"


def test_nobody_keeps_a_closed_line_open() -> None:
    """>> speech over the words of a closed line without barge-in << it ends all the same."""
    story = Story(CallSettings(greeting=SayText("Closed."), interruptible=False, closed=True, barge_in=False))
    story.answer(request=story.requests[-1])
    assert story.tell(CallerSpoke("u")) == []
    assert EndCall(EndReason.LINE_CLOSED, "bot") in story.listen(35)
    assert story.noted(notes.HangUpCancelled) == []


def test_the_model_is_told_the_name_of_a_target_alone() -> None:
    """>> a transfer that fails << one sentence, without number or the provider's words."""
    story = transferring(Story(SETTINGS))
    told, _ = story.tell(TransferEnded("POST was answered with 500"))
    assert told == AddMessage(
        "system", "The caller could not be connected with desk: that failed. Say so, and go on with the call."
    )
    assert story.noted(notes.TransferFailed) == [notes.TransferFailed("desk", "POST was answered with 500")]
