"""Calls that still go on when the gateway stops, told as stories over the conversation."""

import pytest

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason, ShutDown
from gateway.call.errands import TransferCaller, TransferEnded
from gateway.call.settings import PARTING_LIMIT_S, CallSettings, KeyAction, Parting, Target
from gateway.call.state import State
from gateway.phone.commands import StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed, PhoneClosed, PhoneEnd
from gateway.voice.commands import CancelResponse, CreateResponse, SayText, SendAudio, TruncateReply
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    TurnCommitted,
)
from tests.call.recovery.lost import LOST, TROUBLE, state_of
from tests.story import SILENCE, SPEECH, Story

WORDS = SayText("We have to restart. I am connecting you with a colleague.")
RESCUE = Target("on_failure", "+14255550199", CreateResponse())
TOLD = CallSettings(parting=Parting(WORDS))
TOLD_AND_MOVED = CallSettings(parting=Parting(WORDS, RESCUE), targets={"desk": RESCUE})
SHUT_DOWN = EndCall(EndReason.SHUT_DOWN, "gateway")


def test_the_words_are_heard_to_their_end_before_the_transfer() -> None:
    """>> the gateway stops << the line's words, and the transfer behind their last mark."""
    story = Story(TOLD_AND_MOVED)
    assert story.tell(ShutDown()) == [WORDS]
    assert story.answer(request=story.requests[-1], seconds=3) == []
    assert story.listen(2.8) == []
    assert story.listen(0.4) == [TransferCaller("on_failure", "+14255550199")]
    assert story.noted(notes.ShutDownAnnounced) == [notes.ShutDownAnnounced(says=True, target="on_failure")]
    story.tell(TransferEnded())
    assert story.tell(PhoneClosed(PhoneEnd.HUNG_UP)) == [EndCall(EndReason.TRANSFERRED, "bot")]


def test_without_a_target_the_call_ends_once_the_words_were_heard() -> None:
    """>> the words were heard << an end of which the provider need not make up for anything."""
    story = Story(TOLD)
    story.tell(ShutDown())
    story.answer(request=story.requests[-1], seconds=2)
    assert story.listen(1.8) == []
    assert story.listen(0.5) == [EndCall(EndReason.SHUT_DOWN_ANNOUNCED, "gateway")]


def test_a_reply_is_cut_for_the_words() -> None:
    """>> the gateway stops while the bot speaks << silence, and the words once the response is over; no barge-in."""
    story = Story(TOLD)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 80_000))
    story.listen(1)
    assert [type(command) for command in story.tell(ShutDown())] == [StopPlayback, CancelResponse, TruncateReply]
    assert story.tell(ReplyAudio("r", "i", b"\x10" * 8000)) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == [WORDS]
    assert story.noted(notes.BargeIn) == []


def test_the_caller_does_not_interrupt_the_words() -> None:
    """>> speech and keys over the words << nothing, the service hears silence, and the call leaves all the same."""
    settings = CallSettings(
        parting=Parting(WORDS), on_key={"0": KeyAction(RESCUE), "1": KeyAction(say=SayText("One."))}
    )
    story = Story(settings)
    story.tell(ShutDown())
    story.answer(request=story.requests[-1], seconds=3)
    story.listen(1)
    assert story.tell(CallerSpoke("u")) == []
    assert story.tell(DigitPressed("0")) == story.tell(DigitPressed("1")) == []
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SILENCE)]
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert story.tell(ResponseStarted("r9")) == [CancelResponse("r9")]
    assert story.tell(ResponseEnded("r9", ResponseStatus.CANCELLED)) == []
    assert story.listen(2.5) == [EndCall(EndReason.SHUT_DOWN_ANNOUNCED, "gateway")]


def test_an_answer_that_the_service_owes_is_not_said_before_the_words() -> None:
    """>> the gateway stops between the caller's turn and its answer << the answer is cancelled, then come the words."""
    story = Story(TOLD)
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    assert story.tell(ShutDown()) == []
    assert story.tell(ResponseStarted("r")) == [CancelResponse("r")]
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == [WORDS]


@pytest.mark.parametrize("ready", [False, True])
def test_nothing_is_said_where_nothing_can_be_said(ready: bool) -> None:
    """>> the gateway stops before the session is ready, or on a line without words << the end, at once."""
    story = Story(CallSettings() if ready else TOLD_AND_MOVED, ready=ready)
    assert story.tell(ShutDown())[-1] == SHUT_DOWN


def test_the_second_signal_cuts_the_words() -> None:
    """>> at once << the end, in the middle of the words."""
    story = Story(TOLD_AND_MOVED)
    story.tell(ShutDown())
    story.answer(request=story.requests[-1], seconds=3)
    story.listen(1)
    assert story.tell(ShutDown()) == []
    assert story.tell(ShutDown(at_once=True)) == [StopPlayback(), SHUT_DOWN]


def test_words_that_are_not_heard_in_time_are_the_providers() -> None:
    """>> no response comes << the end is a failure, after which the provider goes on with ``on_failure``."""
    story = Story(TOLD)
    story.tell(ShutDown())
    *_, end = story.listen(PARTING_LIMIT_S + 1)
    assert (end.reason, end.by) == (EndReason.SHUT_DOWN, "gateway")  # type: ignore[union-attr]


def test_a_transfer_that_fails_is_the_providers() -> None:
    """>> the provider's REST API refuses << a failure too: nobody stays with a bot that is about to stop."""
    story = Story(TOLD_AND_MOVED)
    story.tell(ShutDown())
    story.answer(request=story.requests[-1])
    story.listen(1.5)
    assert story.tell(TransferEnded("refused")) == [EndCall(EndReason.SHUT_DOWN, "gateway", "refused")]


def test_a_call_that_leaves_already_goes_on_leaving() -> None:
    """>> the gateway stops during the farewell << nothing more is said, and nothing calls the farewell off."""
    story = Story(CallSettings(parting=Parting(WORDS, RESCUE)))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16_000))
    story.tell(ToolCalled("r", "c", "end_call", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(ShutDown()) == []
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    assert story.listen(1.5) == [EndCall(EndReason.BOT_HUNG_UP, "bot")]
    assert story.noted(notes.HangUpCancelled) == []


def test_words_that_the_service_refuses_are_the_providers() -> None:
    """>> the response fails twice without a sound << the end is a failure, not words that were heard."""
    story = Story(TOLD)
    story.tell(ShutDown())
    story.tell(ResponseStarted("r1", story.requests[-1]))
    story.tell(ResponseEnded("r1", ResponseStatus.FAILED))
    assert story.listen(1.2) == [WORDS]
    story.tell(ResponseStarted("r2", story.requests[-1]))
    assert story.tell(ResponseEnded("r2", ResponseStatus.FAILED)) == [SHUT_DOWN]


def test_a_call_without_a_session_ends_at_once() -> None:
    """>> the session is lost, and the gateway stops << the provider goes on: nobody is there to say the words."""
    story = Story(CallSettings(parting=Parting(WORDS, RESCUE), trouble=TROUBLE))
    story.tell(LOST)
    assert state_of(story) is not State.ENDED
    assert story.tell(ShutDown())[-1] == SHUT_DOWN


def test_a_session_that_is_lost_over_the_words_does_not_keep_the_caller() -> None:
    """>> the session ends in the middle of the words << what is here is played, and the transfer goes on."""
    story = Story(CallSettings(parting=Parting(WORDS, RESCUE), trouble=TROUBLE))
    story.tell(ShutDown())
    story.tell(ResponseStarted("r", story.requests[-1]))
    story.tell(ReplyAudio("r", "i", b"\x10" * 8000))
    story.listen(0.5)
    story.tell(LOST)
    asked = story.listen(3)
    assert TransferCaller("on_failure", "+14255550199") in asked
