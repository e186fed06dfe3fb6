"""What the model calls, told as stories over the conversation."""

import json

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import DialDigits, DigitsDialled, FunctionReturned, RunFunction
from gateway.call.leaving import RESULTS_FIRST, LeaveCall
from gateway.call.settings import CallSettings, FunctionRule, KeyAction, Silence, Target, Waiting
from gateway.call.tools.tools import BAD_DIGITS, BUSY, DIALLED, NO_SUCH_TOOL, NOT_DONE, Tools
from gateway.phone.commands import StopPlayback
from gateway.phone.events import PhoneClosed, PhoneEnd
from gateway.voice.commands import CancelResponse, CreateResponse, ReturnToolOutput, SayText, TruncateReply
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ToolCalled,
    TurnCommitted,
)
from tests.story import Story

WAITING = SayText("One moment.")
SETTINGS = CallSettings(
    functions={"status": FunctionRule(), "slow": FunctionRule(waiting=Waiting(WAITING, 1.5))},
    built_in=frozenset({"end_call", "send_digits"}),
    silence=Silence(10, SayText("Still there?"), 1),
)
OUTPUT = '{"state":"shipped"}'


def test_a_result_is_told_once_the_response_that_called_has_ended() -> None:
    """>> a call, its result while the response still runs << the output at once, the response behind response.done."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    assert story.tell(ToolCalled("r", "c", "status", '{ "n": 1 }')) == [RunFunction("c", "status", '{ "n": 1 }')]
    assert story.tell(FunctionReturned("c", OUTPUT)) == [ReturnToolOutput("c", OUTPUT)]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]


def test_parallel_calls_have_one_answer() -> None:
    """>> two calls, one result, the other << an output each, and one response behind the last."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "status", "{}"))
    story.tell(ToolCalled("r", "b", "status", "{}"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []
    assert story.tell(FunctionReturned("b", OUTPUT)) == [ReturnToolOutput("b", OUTPUT)]
    assert story.tell(FunctionReturned("a", OUTPUT)) == [ReturnToolOutput("a", OUTPUT), CreateResponse()]
    assert story.answer(response="r2", request=story.requests[-1]) == []
    assert story.listen(2) == []


def test_words_before_a_call_are_heard_while_it_runs() -> None:
    """>> text and a call in one response, the result << the answer waits until the words have been heard."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16000))
    story.tell(ToolCalled("r", "c", "status", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(FunctionReturned("c", OUTPUT)) == [ReturnToolOutput("c", OUTPUT)]
    assert story.listen(1.5) == []
    assert story.listen(1) == [CreateResponse()]


def test_a_tool_that_takes_long_is_covered_once() -> None:
    """>> no result for 1.5 s << the line's words; then silence is not minded, however long the tool takes."""
    story = Story(SETTINGS)
    assert story.call("slow") == [RunFunction("call_1", "slow", "{}")]
    assert story.listen(1.4) == []
    assert story.listen(0.2) == [WAITING]
    assert story.answer(response="r2", request=story.requests[-1]) == []
    assert story.listen(30) == []
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == [ReturnToolOutput("call_1", OUTPUT), CreateResponse()]


def test_words_that_cover_a_wait_are_no_answer() -> None:
    """>> the result while the bot says that it takes a moment << told behind these words."""
    story = Story(SETTINGS)
    story.call("slow")
    story.listen(1.6)
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == [ReturnToolOutput("call_1", OUTPUT)]
    assert story.answer(response="r2", request=story.requests[-1]) == []
    assert story.listen(2) == [CreateResponse()]


def test_nobody_is_told_to_wait_over_the_callers_words() -> None:
    """>> the caller speaks while the tool runs << no words of ours into that."""
    story = Story(SETTINGS)
    story.call("slow")
    story.tell(CallerSpoke("u"))
    assert story.listen(5) == []


def test_a_caller_who_speaks_meanwhile_is_answered_first() -> None:
    """>> a turn while the tool runs, its answer, then the result << the output, and a response of its own."""
    story = Story(SETTINGS)
    story.call("status")
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.tell(ResponseStarted("r2"))
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == [ReturnToolOutput("call_1", OUTPUT)]
    assert story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED)) == [CreateResponse()]


def test_an_answer_that_began_behind_the_result_tells_it() -> None:
    """>> a turn, the result, then the service's answer to the turn << no second response: it knows the output."""
    story = Story(SETTINGS)
    story.call("status")
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == [ReturnToolOutput("call_1", OUTPUT)]
    assert story.answer(response="r2") == []
    assert story.listen(2) == []


def test_noise_does_not_lose_a_result() -> None:
    """>> the result, a cough that commits no turn << told all the same, once the cough is given up."""
    story = Story(CallSettings(functions=SETTINGS.functions))
    story.call("status")
    story.tell(CallerSpoke("u"))
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == [ReturnToolOutput("call_1", OUTPUT)]
    assert story.listen(31) == [CreateResponse()]


def test_a_call_of_a_cancelled_response_gets_an_output_and_is_not_run() -> None:
    """>> barge-in, then the late call of the old response << told that it was not carried out; nobody asks for more."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16000))
    story.listen(0.2)
    told = story.tell(CallerSpoke("u"))
    assert [type(command) for command in told] == [StopPlayback, CancelResponse, TruncateReply]
    assert story.tell(ToolCalled("r", "c", "status", "{}")) == [ReturnToolOutput("c", NOT_DONE)]
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == []


@pytest.mark.parametrize("name", ["magic", "transfer_call"])
def test_a_tool_that_the_line_does_not_list_is_refused(name: str) -> None:
    """>> a call of what was never offered << an error that the model can explain, and the response for it."""
    assert Story(SETTINGS).call(name) == [ReturnToolOutput("call_1", NO_SUCH_TOOL), CreateResponse()]


def test_the_call_does_not_end_before_the_results_are_told() -> None:
    """>> a function and end_call at once << end_call is refused; the result is told, and the call goes on."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "status", "{}"))
    assert story.tell(ToolCalled("r", "b", "end_call", "{}")) == [ReturnToolOutput("b", BUSY)]
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(FunctionReturned("a", OUTPUT)) == [ReturnToolOutput("a", OUTPUT), CreateResponse()]


def test_a_function_behind_end_call_keeps_the_call() -> None:
    """>> end_call, then a function in the same response << the hang-up is off: there is still something to do."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "end_call", "{}"))
    told = story.tell(ToolCalled("r", "b", "status", "{}"))
    assert told == [RESULTS_FIRST, RunFunction("b", "status", "{}")]
    assert story.noted(notes.HangUpCancelled) == [notes.HangUpCancelled(None, "model")]
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(5) == []


def test_digits_behind_end_call_keep_the_call() -> None:
    """>> end_call, then send_digits in the same response << dialled and told; nobody leaves meanwhile."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 8000))
    story.tell(ToolCalled("r", "a", "end_call", "{}"))
    told = story.tell(ToolCalled("r", "b", "send_digits", '{"digits":"12"}'))
    assert told == [RESULTS_FIRST, DialDigits("b", "12")]
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(3) == []
    assert story.tell(DigitsDialled("b")) == [ReturnToolOutput("b", DIALLED), CreateResponse()]


def test_a_function_does_not_hold_up_the_key_that_hangs_up() -> None:
    """>> a key that ends the call, then a function << it runs, and the call ends as the caller wants."""
    story = Story(replace(SETTINGS, on_key={"*": KeyAction(say=None)}))
    answering = story.tell(ResponseStarted("r"))
    assert answering == []
    story.conversation._leaving.plan(LeaveCall(None), story.now)  # as the key does, while the response runs
    assert story.tell(ToolCalled("r", "b", "status", "{}")) == [RunFunction("b", "status", "{}")]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [EndCall(EndReason.BOT_HUNG_UP, "bot")]


def test_digits_are_dialled_and_the_model_is_told() -> None:
    """>> send_digits << dialled; then the output and a response."""
    story = Story(SETTINGS)
    assert story.call("send_digits", '{"digits": "12#"}') == [DialDigits("call_1", "12#")]
    assert story.tell(DigitsDialled("call_1")) == [ReturnToolOutput("call_1", DIALLED), CreateResponse()]
    assert story.noted(notes.DigitsSent) == [notes.DigitsSent()]


def test_digits_that_cannot_be_dialled_are_an_error_for_the_model() -> None:
    """>> the provider cannot << the reason as output; the call goes on."""
    story = Story(SETTINGS)
    story.call("send_digits", '{"digits": "1"}')
    output, _ = story.tell(DigitsDialled("call_1", "no such thing"))
    assert isinstance(output, ReturnToolOutput)
    assert json.loads(output.output) == {"error": "no such thing"}
    assert story.noted(notes.DigitsSent) == []


@pytest.mark.parametrize("arguments", ["{}", "nonsense", '{"digits": ""}', '{"digits": "12a"}', '{"digits": 5}', "[1]"])
def test_only_keys_of_a_phone_are_dialled(arguments: str) -> None:
    """>> anything else as digits << an error for the model."""
    assert Story(SETTINGS).call("send_digits", arguments) == [ReturnToolOutput("call_1", BAD_DIGITS), CreateResponse()]


def test_a_result_behind_the_hang_up_is_nobodys() -> None:
    """>> hang-up while a tool runs, its result << nothing."""
    story = Story(SETTINGS)
    story.call("status")
    story.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == []


def test_a_result_is_noted_with_its_time() -> None:
    """The record holds which tool ran, how it ended and how long it took, and nothing of what it said."""
    story = Story(SETTINGS)
    story.call("status")
    story.listen(0.5)
    story.tell(FunctionReturned("call_1", OUTPUT, "error"))
    assert story.noted(notes.ToolCalled) == [notes.ToolCalled("status", "call_1")]
    (returned,) = story.noted(notes.ToolReturned)
    assert replace(returned, took_ms=500) == notes.ToolReturned("status", "call_1", "error", 500)
    assert returned.took_ms == pytest.approx(500, abs=5)


def test_words_without_a_delay_do_not_spin_the_loop() -> None:
    """>> ``after_s: 0`` while the bot still speaks << looked at again a little later, not at once for ever."""
    story = Story(CallSettings(functions={"slow": FunctionRule(waiting=Waiting(WAITING, 0))}))
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 24_000))
    story.tell(ToolCalled("r", "c", "slow", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.conversation.on_deadline(story.now)
    assert story.conversation.next_deadline() > story.now
    assert story.listen(3.5) == [WAITING]


# Values


LEAVERS = CallSettings(
    functions={"status": FunctionRule()},
    built_in=frozenset({"end_call", "transfer_call", "send_digits"}),
    targets={
        "desk": Target("desk", "+14255550199", SayText("One moment.")),
        "sales": Target("sales", "+14255550198", SayText("One moment.")),
    },
)


def test_what_the_conversation_carries_out_itself_is_noted_at_once() -> None:
    """>> end_call and transfer_call, allowed and refused << each has its note, with no time taken."""
    story = Story(LEAVERS)
    story.tell(ResponseStarted("r"))
    unknown = ReturnToolOutput("a", '{"error":"unknown target, expected one of desk, sales"}')
    assert story.tell(ToolCalled("r", "a", "transfer_call", '{"target":"home"}')) == [unknown]
    assert story.tell(ToolCalled("r", "b", "end_call", "{}")) == [ReturnToolOutput("b", BUSY)]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]
    story.tell(ResponseStarted("r2", story.requests[-1]))
    allowed = ReturnToolOutput("c", '{"result":"the caller is connected after your announcement"}')
    assert story.tell(ToolCalled("r2", "c", "transfer_call", '{"target":"sales"}')) == [allowed]
    noted = story.noted(notes.ToolReturned)
    assert [(note.tool, note.call_id, note.outcome, note.took_ms) for note in noted] == [
        ("transfer_call", "a", "refused", 0),
        ("end_call", "b", "refused", 0),
        ("transfer_call", "c", "ok", 0),
    ]


@pytest.mark.parametrize(("failure", "outcome"), [("", "ok"), ("no such thing", "error")])
def test_dialled_digits_are_noted_with_their_time(failure: str, outcome: str) -> None:
    """Whether they were dialled, and how long that took."""
    story = Story(LEAVERS)
    story.call("send_digits", '{"digits": "1"}')
    story.wait(0.25)
    story.tell(DigitsDialled("call_1", failure))
    assert story.noted(notes.ToolReturned) == [notes.ToolReturned("send_digits", "call_1", outcome, 250)]


@pytest.mark.parametrize(("count", "is_dialled"), [(1, True), (32, True), (33, False)])
def test_so_many_digits_are_dialled(count: int, *, is_dialled: bool) -> None:
    """One to thirty-two."""
    told = Story(LEAVERS).call("send_digits", json.dumps({"digits": "1" * count}))
    expected = DialDigits("call_1", "1" * count) if is_dialled else ReturnToolOutput("call_1", BAD_DIGITS)
    assert told[0] == expected


def test_an_answer_that_cannot_be_had_is_not_wished_for_again() -> None:
    """>> a result, its answer refused twice << given up; the next turn is answered as ever."""
    story = Story(LEAVERS)
    story.call("status")
    assert story.tell(FunctionReturned("call_1", OUTPUT))[-1] == CreateResponse()
    story.tell(ServiceError("server_error", "no", story.requests[-1]))
    assert story.listen(1.1) == [CreateResponse()]
    story.tell(ServiceError("server_error", "no", story.requests[-1]))
    story.goes_on()


def test_an_answer_about_a_server_that_cannot_be_had_is_not_wished_for_again() -> None:
    """>> a server's result, its answer refused twice << given up as well."""
    story = Story(LEAVERS)
    story.tell(ResponseStarted("r"))
    story.tell(McpCalled("m", "crm", "look"))
    story.tell(McpReturned("m"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]
    story.tell(ServiceError("server_error", "no", story.requests[-1]))
    assert story.listen(1.1) == [CreateResponse()]
    story.tell(ServiceError("server_error", "no", story.requests[-1]))
    story.goes_on()


def test_a_server_s_call_that_is_told_again_does_not_keep_the_call() -> None:
    """>> a result told, end_call, and then the item of the server's call once more << the call ends all the same."""
    story = Story(LEAVERS)
    story.tell(ResponseStarted("r"))
    story.tell(McpCalled("m", "crm", "look"))
    story.tell(McpReturned("m"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.tell(ResponseStarted("r2", story.requests[-1]))
    story.tell(ReplyAudio("r2", "i", b"\x10" * 8000))
    story.tell(ToolCalled("r2", "c", "end_call", "{}"))
    assert story.tell(McpCalled("m", "crm", "look")) == []
    story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED))
    assert story.listen(1.5) == [EndCall(EndReason.BOT_HUNG_UP, "bot")]


def test_a_result_that_comes_twice_is_told_once() -> None:
    """>> the same result again, or one that nobody asked for << nothing."""
    story = Story(LEAVERS)
    story.call("status")
    story.wait(2)
    story.tell(FunctionReturned("call_1", OUTPUT))
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == []
    assert story.tell(FunctionReturned("call_9", OUTPUT)) == []
    assert [note.took_ms for note in story.noted(notes.ToolReturned)] == [2000]


def test_an_event_that_means_nothing_to_the_tools_is_a_bug_that_shows() -> None:
    """In place of a tool whose result nobody waits for any more."""
    with pytest.raises(AssertionError):
        Tools(CallSettings()).handle(CallerSpoke("u"), 1.0)  # type: ignore[arg-type]  # on purpose
