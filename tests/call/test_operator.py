"""Calls that an operator ends or transfers, told as stories over the conversation."""

import pytest

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason, Order
from gateway.call.errands import TransferCaller, TransferEnded
from gateway.call.history.glance import Glance, LastWords
from gateway.call.settings import CallSettings, Target
from gateway.phone.commands import StopPlayback
from gateway.phone.events import PhoneClosed, PhoneEnd
from gateway.voice.commands import CreateResponse
from gateway.voice.events import CallerPaused, CallerSaid, CallerSpoke
from tests.call.recovery.lost import LOST
from tests.story import Story

DESK = Target("desk", "+14255550199", CreateResponse())
LINE = CallSettings(targets={"desk": DESK})
ENDED = EndCall(EndReason.ENDED_BY_OPERATOR, "operator")


@pytest.mark.parametrize("connected", [True, False])
def test_an_operator_ends_a_call_at_once(connected: bool) -> None:
    """>> end it << the end, with its reason, whether there is a session or not."""
    story = Story(LINE, ready=connected)
    assert story.tell(Order())[-1] == ENDED
    assert story.noted(notes.OperatorActed) == [notes.OperatorActed(None)]
    assert story.tell(Order("desk")) == []


def test_an_operator_transfers_a_call_whatever_is_being_said() -> None:
    """>> transfer it << silence, and the transfer, at once; then the end of any transfer."""
    story = Story(LINE)
    story.answer(seconds=5)
    story.listen(1)
    asked = story.tell(Order("desk"))
    assert StopPlayback in [type(command) for command in asked]
    assert asked[-1] == TransferCaller("desk", "+14255550199")
    assert story.noted(notes.OperatorActed) == [notes.OperatorActed("desk")]
    assert story.tell(Order("desk")) == []
    story.tell(TransferEnded())
    assert story.tell(PhoneClosed(PhoneEnd.HUNG_UP)) == [EndCall(EndReason.TRANSFERRED, "bot")]


def test_a_transfer_that_fails_gives_the_caller_back() -> None:
    """>> nobody took the call << the model says so, and the call goes on."""
    story = Story(LINE)
    story.tell(Order("desk"))
    story.tell(TransferEnded("busy"))
    assert story.noted(notes.TransferFailed) == [notes.TransferFailed("desk", "busy")]
    assert story.tell(Order())[-1] == ENDED


def test_a_target_that_is_none_of_the_lines_does_nothing() -> None:
    """Nobody can invent a number; a call without a session is not transferred either."""
    story = Story(LINE)
    assert story.tell(Order("+14255550123")) == []
    assert Story(LINE, ready=False).tell(Order("desk")) == []
    story.goes_on()


def test_a_glance_says_who_speaks_and_what_was_said_last() -> None:
    """The bot while it is heard, the caller while he speaks, nobody between; the words that are known."""
    story = Story(LINE)
    assert story.conversation.glance() == Glance("talking", "", LastWords(), ("desk",))
    story.answer(seconds=5)
    story.listen(1)
    assert story.conversation.glance().speaker == "bot"
    story.tell(CallerSpoke("u1"))
    assert story.conversation.glance().speaker == "caller"
    story.tell(CallerPaused("u1"))
    story.tell(CallerSaid("u1", "Where is my order?"))
    assert story.conversation.glance().last == LastWords("caller", "Where is my order?")
    story.tell(Order("desk"))
    glance = story.conversation.glance()
    assert (glance.state, glance.targets) == ("transferring", ())
    story.tell(LOST)
