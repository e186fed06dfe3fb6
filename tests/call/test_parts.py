"""The parts of a call: what they ask for is done, in order, and none holds another."""

import math

import pytest

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.leaving import RESULTS_FIRST, LeaveCall, PutOffLeaving
from gateway.call.messages import Commands
from gateway.call.parts import Parts
from gateway.call.settings import CallSettings
from gateway.call.state import State
from gateway.call.tools.tools import CancelHeldResponse
from gateway.voice.commands import CancelResponse, CommitTurn, CreateResponse, SayText
from gateway.voice.events import ResponseStarted
from tests.story import STARTED

TIMED = ("leaving", "tools", "keypad", "silence", "caller_audio")
UNTIMED = ("transcripts", "bad_messages")


def parts() -> Parts:
    """Those of a call whose session is ready."""
    made = Parts(STARTED, CallSettings(), 0.0)
    made.connected = True
    return made


@pytest.mark.skipif(not hasattr(parts().bot, "__dict__"), reason="compiled classes do not show their members")
def test_no_part_holds_another() -> None:
    """Each of them knows its own things; what is between two is asked for."""
    found = {name: getattr(parts(), name) for name in ("bot", *TIMED, *UNTIMED)}
    kinds = {type(part).__module__ for part in found.values()}
    assert {type(part) for part in vars(parts()).values() if type(part).__module__ in kinds} == {
        type(part) for part in found.values()
    }
    for name, part in found.items():
        held = {type(value).__module__ for value in vars(part).values()} - {type(part).__module__}
        assert held & kinds == set(), name


@pytest.mark.parametrize("name", TIMED)
def test_each_part_that_minds_the_time_does_so_alike(name: str) -> None:
    """By its next deadline and by what is due."""
    part = getattr(parts(), name)
    assert part.next_deadline() is None or part.next_deadline() > 0
    assert callable(part.on_deadline)


def test_the_bot_minds_two_times() -> None:
    """That of its audio comes several times a second, and nothing else is looked at then."""
    bot = parts().bot
    assert bot.next_deadline() is bot.plays_on_at() is None
    assert bot.give_up(0.0, tool_at_work=False) == bot.play_on(0.0) == []


def test_nothing_is_due_in_a_call_that_has_not_begun() -> None:
    """The caller's audio apart."""
    assert parts().next_deadline() == math.inf


def test_a_response_that_is_wanted_is_asked_for_in_its_turn() -> None:
    """With an id; the second one waits for the first, and other commands keep their place."""
    call = parts()
    call.carry_out([notes.DigitPressed("1"), CreateResponse(), CommitTurn(), SayText("Hello.")], 1.0)
    asked = call.hand_over()
    assert asked == Commands(voice=[CreateResponse("", "request-1"), CommitTurn()], notes=[notes.DigitPressed("1")])
    assert call.hand_over() == Commands()


def test_a_plan_to_leave_is_put_off() -> None:
    """The model's own; then it is told that the call goes on."""
    call = parts()
    call.carry_out([LeaveCall(None, by_model=True)], 1.0)
    states = [call.state]
    call.carry_out([PutOffLeaving()], 1.0)
    assert [*states, call.state] == [State.LEAVING, State.TALKING]
    assert call.hand_over() == Commands(voice=[RESULTS_FIRST], notes=[notes.HangUpCancelled(None, "model")])


def test_a_response_that_is_held_open_is_cancelled() -> None:
    """So that words can be said meanwhile."""
    call = parts()
    call.bot.response_started(ResponseStarted("r"), 1.0)
    call.carry_out([CancelHeldResponse(), SayText("One moment.")], 2.0)
    assert call.hand_over() == Commands(voice=[CancelResponse("r")])


def test_nothing_is_done_after_the_end() -> None:
    """The end is the last that is asked for."""
    call = parts()
    end = EndCall(EndReason.BOT_HUNG_UP, "bot")
    call.carry_out([CommitTurn(), end, CommitTurn(), EndCall(EndReason.SILENCE, "caller")], 1.0)
    assert call.ended
    assert call.hand_over() == Commands(voice=[CommitTurn()], end=end)
