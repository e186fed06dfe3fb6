"""The tools of MCP servers and the caller's word for them, told as stories over the conversation."""

import pytest
from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import DialDigits, DigitsDialled, TransferCaller, TransferEnded
from gateway.call.leaving import RESULTS_FIRST
from gateway.call.settings import Approval, CallSettings, KeyAction, Silence, Target, Waiting
from gateway.call.tools.mcp import GRANTED_LIMIT_S, RUN_LIMIT_S, TRANSCRIPT_LIMIT_S, How
from gateway.call.tools.tools import BUSY, DIALLED
from gateway.phone.events import DigitPressed
from gateway.voice.commands import (
    AddMessage,
    AnswerApproval,
    CancelResponse,
    CreateResponse,
    ReturnToolOutput,
    SayText,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    ToolsListed,
    ToolsRequested,
    TranscriptionFailed,
    TurnCommitted,
)
from tests.story import Story

ASK = SayText("May I look at your account?")
BY_BOTH = Approval(ASK, key="1", words=("yes", "go ahead"), timeout_s=20)
SETTINGS = CallSettings(approvals={"crm": BY_BOTH}, silence=Silence(10, SayText("Still there?"), 1))
CALLED = McpCalled("item_m", "crm", "get_customer")
WANTED = ApprovalRequested("mcpr_1", "crm", "get_customer")


def running(story: Story) -> Story:
    """A response has had a tool run."""
    story.tell(ResponseStarted("r"))
    assert story.tell(CALLED) == []
    return story


def asked(story: Story, rules_ask: SayText = ASK) -> Story:
    """A response wants a tool, and the caller has heard the question."""
    story.tell(ResponseStarted("r"))
    assert story.tell(WANTED) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [rules_ask]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.2)
    return story


def say(story: Story, text: str, item: str = "u") -> list[object]:
    """The caller says something, the service answers it by itself; what we do about it."""
    commands = story.tell(CallerSpoke(item)) + story.tell(CallerPaused(item)) + story.tell(TurnCommitted(item))
    commands += story.tell(CallerSaid(item, text))
    return [command for command in commands if isinstance(command, AnswerApproval)]


def test_a_result_is_asked_for_behind_the_response() -> None:
    """>> completed inside the response, response.done << one response.create; a second completed changes nothing."""
    story = running(Story(SETTINGS))
    assert story.tell(McpReturned("item_m")) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]
    assert story.tell(McpReturned("item_m")) == []
    story.answer(response="r2", request=story.requests[-1])
    assert story.listen(2) == []


def test_a_result_may_come_behind_the_response() -> None:
    """>> response.done, then completed << asked for when it has come."""
    story = running(Story(SETTINGS))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == []
    assert story.tell(McpReturned("item_m", failed=True)) == [CreateResponse()]
    assert story.noted(notes.McpReturned)[0].outcome == "error"


def test_a_call_that_is_told_twice_runs_once() -> None:
    """The item of a call is shown by two events, and after its end by a third."""
    story = running(Story(SETTINGS))
    story.tell(CALLED)
    story.tell(McpReturned("item_m"))
    story.tell(CALLED)
    assert len(story.noted(notes.McpCalled)) == 1
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]


def test_a_server_may_take_its_time() -> None:
    """>> a tool that runs for half a minute << its response is not given up, and silence is not minded."""
    assert running(Story(SETTINGS)).listen(30) == []


def test_a_server_that_never_answers_is_given_up() -> None:
    """>> no word for a minute << the model speaks without it."""
    story = running(Story(SETTINGS))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(RUN_LIMIT_S - 0.2) == []
    assert story.listen(0.4) == [CreateResponse()]
    assert story.noted(notes.McpReturned)[0].outcome == "timeout"


def test_a_server_without_a_question_is_denied() -> None:
    """>> an approval that the line has no rule for << denied at once."""
    story = Story(CallSettings())
    told = story.tell(WANTED)
    assert told == [AnswerApproval("mcpr_1", approved=False), CreateResponse()]


@pytest.mark.parametrize("words", ["Yes.", "yes, please", "Go ahead!", "YES"])
def test_a_spoken_yes_allows(words: str) -> None:
    """>> the question, an utterance that begins with a yes << allowed; then the tool runs."""
    assert say(asked(Story(SETTINGS)), words) == [AnswerApproval("mcpr_1", approved=True)]


@pytest.mark.parametrize("words", ["No.", "What do you mean?", "yesterday", "not yes"])
def test_any_other_word_denies(words: str) -> None:
    """>> anything else << denied: what was not clearly allowed is not done."""
    assert say(asked(Story(SETTINGS)), words) == [AnswerApproval("mcpr_1", approved=False)]


def test_what_was_said_before_the_question_is_no_answer() -> None:
    """>> a turn whose words come while the question is asked << it decides nothing."""
    story = Story(SETTINGS)
    story.tell(CallerSpoke("u0"))
    story.tell(CallerPaused("u0"))
    story.tell(ResponseStarted("r"))
    story.tell(WANTED)
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert [c for c in story.tell(CallerSaid("u0", "Yes.")) if isinstance(c, AnswerApproval)] == []


@pytest.mark.parametrize(("key", "approved"), [("1", True), ("2", False), ("#", False)])
def test_a_key_decides(key: str, *, approved: bool) -> None:
    """>> the key that allows, or any other << so."""
    told = asked(Story(SETTINGS)).tell(DigitPressed(key))
    assert AnswerApproval("mcpr_1", approved) in told


def test_a_question_without_a_key_leaves_keys_alone() -> None:
    """>> a key where only words count << noted, and the question stands."""
    settings = CallSettings(approvals={"crm": Approval(ASK, words=("yes",))})
    story = asked(Story(settings))
    assert story.tell(DigitPressed("1")) == []
    assert say(story, "yes") == [AnswerApproval("mcpr_1", approved=True)]


def test_no_answer_denies() -> None:
    """>> silence << denied after the question's time, which does not run while the bot asks."""
    story = asked(Story(SETTINGS))
    assert story.listen(18) == []
    assert story.listen(3)[0] == AnswerApproval("mcpr_1", approved=False)
    assert story.noted(notes.ApprovalGiven)[0].how == "no answer"


def test_a_list_of_tools_is_noted() -> None:
    """Whether a server could be asked for its tools stands in the record."""
    story = Story()
    story.tell(ToolsRequested("item_l", "crm"))
    assert story.tell(ToolsListed("item_l", failed=True)) == []
    assert story.noted(notes.McpListed) == [notes.McpListed("crm", "error")]


def test_a_question_that_nobody_heard_decides_nothing() -> None:
    """>> the caller speaks before the question begins << it is asked again, and only then a yes counts."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(WANTED)
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ASK]
    story.tell(CallerSpoke("u"))
    story.tell(ResponseStarted("q", story.requests[-1]))
    story.tell(ResponseEnded("q", ResponseStatus.CANCELLED))
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    assert say(story, "yes", "v") == []
    story.answer(response="r3", item="i3")
    assert story.listen(2.5) == [ASK]
    story.answer(response="q2", item="i4", request=story.requests[-1])
    assert say(story, "yes", "w") == [AnswerApproval("mcpr_1", approved=True)]


def test_a_key_before_the_question_is_no_answer() -> None:
    """>> a key while the question still waits << noted, and nothing is allowed."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(WANTED)
    assert story.tell(DigitPressed("1")) == []


def test_two_questions_are_asked_one_after_the_other() -> None:
    """>> two requests of one server << one question, its yes, the other question, its yes."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(WANTED)
    story.tell(ApprovalRequested("mcpr_2", "crm", "get_orders"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ASK]
    story.answer(response="q1", item="i1", request=story.requests[-1])
    assert story.listen(1.5) == []
    assert say(story, "yes", "u") == [AnswerApproval("mcpr_1", approved=True)]
    story.answer(response="r2", item="i2")
    assert story.listen(2) == [ASK]
    story.answer(response="q2", item="i3", request=story.requests[-1])
    assert say(story, "yes", "v") == [AnswerApproval("mcpr_2", approved=True)]


WAIT = SayText("One moment, please.")
COVERED = CallSettings(mcp_waiting={"crm": Waiting(WAIT, 1.5)})


def test_the_wait_for_a_server_is_covered_once() -> None:
    """>> a tool of a server takes long << the line's words, once and into silence; then its result."""
    story = running(Story(COVERED))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(1.4) == []
    assert story.listen(0.2) == [WAIT]
    story.answer(response="w", item="iw", request=story.requests[-1])
    assert story.listen(20) == []
    assert story.tell(McpReturned("item_m")) == [CreateResponse()]


def test_a_response_that_stays_open_for_its_server_gives_way_to_the_words() -> None:
    """>> the service keeps the response open while the server works << cancelled, because no other is taken meanwhile.

    The server goes on working, and its result is told by a response of its own.
    """
    story = running(Story(COVERED))
    assert story.listen(1.4) == []
    assert story.listen(0.2) == [CancelResponse("r")]
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == [WAIT]
    story.answer(response="w", item="iw", request=story.requests[-1])
    assert story.listen(20) == []
    assert story.tell(McpReturned("item_m")) == [CreateResponse()]


def test_words_that_are_still_heard_need_no_others_over_them() -> None:
    """>> four seconds of speech in a response that its server keeps open << heard out; the words come behind them."""
    story = Story(COVERED)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 32_000))
    story.tell(ReplyComplete("r", "i"))
    assert story.tell(CALLED) == []
    assert story.listen(4.0) == []
    assert story.noted(notes.ReplyHeard) == [notes.ReplyHeard("i", 4000, 4000)]
    assert story.listen(1.6) == [CancelResponse("r")]
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == [WAIT]


def test_a_quick_server_and_one_without_words_need_none() -> None:
    """>> a result within the time, or a server that the line has no words for << nothing is said meanwhile."""
    story = running(Story(COVERED))
    story.listen(1.0)
    story.tell(McpReturned("item_m"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.listen(20) == []
    other = Story(COVERED)
    other.tell(ResponseStarted("r"))
    other.tell(McpCalled("item_n", "wiki", "search"))
    other.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert other.listen(20) == []


def test_the_words_wait_for_a_caller_who_speaks() -> None:
    """>> the caller speaks when the words are due << said after the turn was answered, and the server still works."""
    story = running(Story(COVERED))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.listen(1.0)
    story.tell(CallerSpoke("u"))
    assert story.listen(2.0) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    assert story.listen(4) == [WAIT]


# Words that never come


def turn(story: Story, item: str) -> None:
    story.tell(CallerSpoke(item))
    story.tell(CallerPaused(item))
    story.tell(TurnCommitted(item))
    story.answer(response=f"of {item}", item=f"to {item}")


BY_WORDS = CallSettings(approvals={"crm": Approval(ASK, words=("yes",), timeout_s=20)})


@pytest.mark.parametrize(
    "unheard",
    [TranscriptionFailed("u", "audio_unintelligible", "no words"), CallerSaid("u", ""), CallerSaid("u", " … ?"), None],
)
def test_an_answer_that_was_not_understood_is_asked_for_again(unheard: TranscriptionFailed | CallerSaid | None) -> None:
    """>> its transcript fails, has no word in it, or never comes << the question once more, and its answer counts."""
    story = asked(Story(SETTINGS))
    turn(story, "u")
    if unheard is not None:
        story.tell(unheard)
    assert story.listen(TRANSCRIPT_LIMIT_S + 0.2) == [ASK]
    assert story.noted(notes.ApprovalNotUnderstood) == [
        notes.ApprovalNotUnderstood(server="crm", tool="get_customer", asked_again=True)
    ]
    story.answer(response="again", item="ia", request=story.requests[-1])
    story.listen(1.2)
    assert say(story, "Yes.", "v") == [AnswerApproval("mcpr_1", approved=True)]


def test_accents_count_however_they_are_encoded() -> None:
    """>> one letter with its accent, or two characters << the same word."""
    for heard in ("S\u00ed.", "Si\u0301."):
        story = asked(Story(CallSettings(approvals={"crm": Approval(ASK, words=("s\u00ed",), timeout_s=20)})))
        assert say(story, heard) == [AnswerApproval("mcpr_1", approved=True)]


def test_after_the_second_time_the_key_decides() -> None:
    """>> two answers that were not understood << no third question; the key still counts, and silence denies."""
    story = asked(Story(SETTINGS))
    turn(story, "u")
    story.tell(TranscriptionFailed("u"))
    assert story.listen(1.2) == [ASK]
    story.answer(response="again", item="ia", request=story.requests[-1])
    story.listen(1.2)
    turn(story, "v")
    assert story.tell(TranscriptionFailed("v")) == []
    assert story.listen(5) == []
    assert story.tell(DigitPressed("1")) == [AnswerApproval("mcpr_1", approved=True)]


def test_without_a_key_the_second_time_is_a_no() -> None:
    """>> two answers that were not understood where only words count << denied, and the model goes on."""
    story = asked(Story(BY_WORDS))
    turn(story, "u")
    story.tell(TranscriptionFailed("u"))
    assert story.listen(1.2) == [ASK]
    story.answer(response="again", item="ia", request=story.requests[-1])
    story.listen(1.2)
    turn(story, "v")
    assert story.tell(TranscriptionFailed("v")) == [AnswerApproval("mcpr_1", approved=False)]
    assert story.noted(notes.ApprovalGiven)[-1].how == "not understood"
    assert story.listen(1.2) == [CreateResponse()]


def test_a_failed_transcript_of_any_turn_is_noted_and_changes_nothing_else() -> None:
    """>> a turn that could not be transcribed << noted with the service's words; the call goes on."""
    story = Story(SETTINGS)
    story.tell(CallerSpoke("u"))
    assert story.tell(TranscriptionFailed("u", "audio_unintelligible", "no words")) == []
    assert story.noted(notes.TranscriptionFailed) == [
        notes.TranscriptionFailed("u", "audio_unintelligible", "no words")
    ]


def test_an_approved_call_that_never_begins_is_given_up() -> None:
    """>> a yes, and the service does not call << the model speaks without the result, and silence is minded again."""
    story = asked(Story(SETTINGS))
    story.tell(DigitPressed("1"))
    assert story.listen(GRANTED_LIMIT_S - 0.2) == []
    assert story.listen(0.4) == [CreateResponse()]
    (returned,) = story.noted(notes.McpReturned)
    assert (returned.tool, returned.outcome) == ("get_customer", "timeout")


LEAVING = [("end_call", "{}"), ("transfer_call", '{"target":"desk"}')]
leaving = pytest.mark.parametrize(("tool", "arguments"), LEAVING)
LEAVERS = CallSettings(
    approvals={"crm": BY_BOTH},
    built_in=frozenset({"end_call", "transfer_call", "send_digits"}),
    targets={"desk": Target("desk", "+14255550199", SayText("One moment."))},
    on_key={"0": KeyAction(transfer=Target("desk", "+14255550199", SayText("One moment."))), "*": KeyAction()},
)


@leaving
def test_nobody_leaves_before_a_result_is_told(tool: str, arguments: str) -> None:
    """>> a result, then end_call in the same response << refused; the result is told, and then the model may leave."""
    story = running(Story(LEAVERS))
    story.tell(McpReturned("item_m"))
    assert story.tell(ToolCalled("r", "c", tool, arguments)) == [ReturnToolOutput("c", BUSY)]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]
    story.tell(ResponseStarted("r2", story.requests[-1]))
    story.tell(ReplyAudio("r2", "i2", b"\x10" * 8000))
    (output,) = story.tell(ToolCalled("r2", "c2", tool, arguments))
    assert output != ReturnToolOutput("c2", BUSY)
    story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED))
    assert len(story.listen(1.5)) == 1


@leaving
def test_nobody_leaves_before_a_late_result_is_told(tool: str, arguments: str) -> None:
    """>> the result within the next response, which does not know it, and end_call there << the same."""
    story = running(Story(LEAVERS))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    say(story, "And then?")
    story.tell(ResponseStarted("r2"))
    story.tell(McpReturned("item_m"))
    assert story.tell(ToolCalled("r2", "c", tool, arguments)) == [ReturnToolOutput("c", BUSY)]
    assert story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED)) == [CreateResponse()]


@leaving
def test_nobody_leaves_before_a_denial_or_a_timeout_is_told(tool: str, arguments: str) -> None:
    """>> a server that nobody is asked for, or one that never answers, then end_call << refused: that is told first."""
    story = Story(LEAVERS)
    story.tell(ResponseStarted("r"))
    story.tell(ApprovalRequested("mcpr_2", "stock", "look"))
    assert story.tell(ToolCalled("r", "c", tool, arguments)) == [ReturnToolOutput("c", BUSY)]
    story = running(Story(LEAVERS))
    story.listen(RUN_LIMIT_S + 1)
    assert story.noted(notes.McpReturned)[0].outcome == "timeout"
    assert story.tell(ToolCalled("r", "c", tool, arguments)) == [ReturnToolOutput("c", BUSY)]


@leaving
@pytest.mark.parametrize("event", [CALLED, WANTED])
def test_a_server_called_behind_end_call_keeps_the_call(
    tool: str, arguments: str, event: McpCalled | ApprovalRequested
) -> None:
    """>> end_call, then a call of a server or the wish for one << the call goes on, and the model knows why."""
    story = Story(LEAVERS)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 8000))
    story.tell(ToolCalled("r", "c", tool, arguments))
    assert story.tell(event) == [RESULTS_FIRST]
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    told = story.listen(3)
    assert told == ([ASK] if event is WANTED else [])
    if event is CALLED:
        assert story.tell(McpReturned("item_m")) == [CreateResponse()]
    assert story.conversation.state.name == "TALKING"


def pressed(story: Story, key: str, event: McpCalled | ApprovalRequested) -> list[object]:
    """A response calls a server, or wants to, and the caller presses a key behind it; what comes of it."""
    story.tell(ResponseStarted("r"))
    story.tell(event)
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    told: list[object] = [*story.tell(DigitPressed(key))]
    if event is WANTED:  # the question was asked for already, and is not spoken any more
        told += story.tell(ResponseStarted("r1", story.requests[-1]))
        told += story.tell(ResponseEnded("r1", ResponseStatus.CANCELLED))
        told.remove(CancelResponse("r1"))
    return told


@pytest.mark.parametrize("event", [CALLED, WANTED])
def test_a_key_leaves_whatever_a_server_does(event: McpCalled | ApprovalRequested) -> None:
    """>> a key that transfers or hangs up, before or behind a call of a server << it is obeyed: the caller wants it."""
    story = Story(LEAVERS)
    assert pressed(story, "0", event) == [SayText("One moment.")]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert [type(command) for command in story.listen(1.5)] == [TransferCaller]
    assert EndCall(EndReason.BOT_HUNG_UP, "bot") in pressed(Story(LEAVERS), "*", event)
    story = Story(LEAVERS)
    story.tell(DigitPressed("0"))
    story.tell(ResponseStarted("r", story.requests[-1]))
    assert story.tell(event) == []
    assert story.conversation.state.name == "LEAVING"


def test_a_result_that_comes_during_a_transfer_is_told_if_it_fails() -> None:
    """>> a key transfers, the server answers, the transfer fails << one response, which knows of both."""
    story = Story(LEAVERS)
    story.tell(ResponseStarted("r"))
    story.tell(CALLED)
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    story.tell(DigitPressed("0"))
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.5)
    assert story.conversation.state.name == "TRANSFERRING"
    assert story.tell(McpReturned("item_m")) == []
    failed, answer = story.tell(TransferEnded("nobody answers"))
    assert (type(failed), answer) == (AddMessage, CreateResponse())
    story.answer(response="r3", item="i3", request=story.requests[-1])
    assert story.listen(3) == []


def test_digits_are_dialled_beside_a_server() -> None:
    """>> send_digits while a server works or the caller is asked << dialled; one answer when both are there."""
    story = running(Story(LEAVERS))
    assert story.tell(ToolCalled("r", "c", "send_digits", '{"digits":"1"}')) == [DialDigits("c", "1")]
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(DigitsDialled("c")) == [ReturnToolOutput("c", DIALLED)]
    assert story.tell(McpReturned("item_m")) == [CreateResponse()]


# Values


KEYED = CallSettings(
    approvals={
        "crm": Approval(ASK, key="1", timeout_s=20),
        "shop": Approval(SayText("And buy it?"), key="1", timeout_s=20),
    }
)
BUY = ApprovalRequested("mcpr_2", "shop", "buy")


def test_a_second_question_has_its_own_time() -> None:
    """>> two requests in a long response << the second's time begins when it is asked, however long the first took."""
    story = Story(KEYED)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 48_000))
    story.tell(WANTED)
    story.tell(BUY)
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(7) == [ASK]
    story.answer(response="q", item="iq", request=story.requests[-1])
    assert story.listen(18.5) == []
    assert story.tell(DigitPressed("1")) == [AnswerApproval("mcpr_1", approved=True), SayText("And buy it?")]
    story.answer(response="q2", item="iq2", request=story.requests[-1])
    story.tell(CALLED)
    story.tell(McpReturned("item_m"))
    assert story.listen(19.8) == []
    assert story.listen(0.4) == [AnswerApproval("mcpr_2", approved=False), CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()


def test_a_question_waits_as_long_again_while_somebody_speaks() -> None:
    """>> a turn without an end when the time is over << twenty seconds more from then, and no sooner a no."""
    story = asked(Story(KEYED))
    story.listen(17)
    story.tell(CallerSpoke("u"))
    assert story.listen(4) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    assert story.listen(17.5) == []
    assert AnswerApproval("mcpr_1", approved=False) in story.listen(2)


@pytest.mark.parametrize(
    ("how", "approved"), [("key", True), ("words", True), ("words", False), ("no answer", False), ("not asked", False)]
)
def test_what_became_of_a_request_is_noted(how: How, *, approved: bool) -> None:
    """Which server and tool, whether it was allowed, and by what."""
    story = asked(Story(SETTINGS)) if how != "not asked" else Story(CallSettings())
    if how == "key":
        story.tell(DigitPressed("1"))
    elif how == "words":
        say(story, "yes" if approved else "no")
    elif how == "no answer":
        story.listen(25)
    else:
        story.tell(WANTED)
    asks = [notes.ApprovalAsked("crm", "get_customer")]
    assert story.noted(notes.ApprovalAsked) == (asks if how != "not asked" else [])
    assert story.noted(notes.ApprovalGiven) == [notes.ApprovalGiven("crm", "get_customer", approved=approved, how=how)]


@pytest.mark.parametrize("outcome", ["ok", "error", "timeout", "never begun"])
def test_a_result_of_a_server_is_noted_with_its_time(outcome: str) -> None:
    """The item, how it ended and how long it took; of an allowed call that never began, without an item."""
    began = outcome != "never begun"
    story = running(Story(SETTINGS)) if began else asked(Story(SETTINGS))
    if began:
        assert story.noted(notes.McpCalled) == [notes.McpCalled("crm", "get_customer", "item_m")]
    else:
        story.tell(DigitPressed("1"))
    if outcome in {"ok", "error"}:
        story.wait(0.25)
        story.tell(McpReturned("item_m", failed=outcome == "error"))
    else:
        story.listen(61)
    took_ms = {"ok": 250, "error": 250, "timeout": 60_000, "never begun": 10_000}[outcome]
    (returned,) = story.noted(notes.McpReturned)
    assert (returned.server, returned.tool, returned.item_id) == ("crm", "get_customer", "item_m" if began else "")
    assert returned.outcome == (outcome if began else "timeout")
    assert returned.took_ms == pytest.approx(took_ms, abs=0 if took_ms == 250 else 10)


@pytest.mark.parametrize("failed", [True, False])
def test_a_list_of_tools_names_its_server(*, failed: bool) -> None:
    """The server of the request; none where a list comes that nobody asked for, or comes twice."""
    story = Story()
    story.tell(ToolsRequested("list_1", "crm"))
    story.tell(ToolsRequested("list_2", "shop"))
    for item in ("list_2", "list_1", "list_1", "list_3"):
        story.tell(ToolsListed(item, failed=failed))
    named = [notes.McpListed(name, "error" if failed else "ok") for name in ("shop", "crm", "", "")]
    assert story.noted(notes.McpListed) == named


def test_an_approval_lets_no_other_tool_pass_for_it() -> None:
    """>> one tool allowed, another of the same server runs << the one that was allowed is still waited for."""
    story = asked(Story(SETTINGS))
    story.tell(DigitPressed("1"))
    story.tell(McpCalled("item_n", "crm", "get_orders"))
    assert story.tell(McpReturned("item_n")) == []
    assert story.listen(9.8) == []
    assert story.listen(0.4) == [CreateResponse()]
    assert [note.outcome for note in story.noted(notes.McpReturned)] == ["ok", "timeout"]


def test_several_things_that_are_given_up_at_once_are_told_by_one_answer() -> None:
    """>> two tools that never answer << both noted, and one response."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(CALLED)
    story.tell(McpCalled("item_n", "wiki", "search"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(RUN_LIMIT_S + 0.2) == [CreateResponse()]
    assert [note.item_id for note in story.noted(notes.McpReturned)] == ["item_m", "item_n"]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.tell(McpReturned("item_m")) == []
    assert story.listen(9) == []


def test_the_words_of_a_question_come_at_their_time() -> None:
    """>> a turn behind the question, and no transcript << five seconds from its end, to a tenth."""
    story = asked(Story(SETTINGS))
    turn(story, "u")
    assert story.listen(TRANSCRIPT_LIMIT_S - 0.1) == []
    assert story.noted(notes.ApprovalNotUnderstood) == []
    assert story.listen(0.2) == [ASK]


def test_a_turn_that_was_not_understood_decides_nothing_when_its_words_come_late() -> None:
    """>> asked again because the words did not come, and then they come << the second answer counts."""
    story = asked(Story(SETTINGS))
    turn(story, "u")
    assert story.listen(TRANSCRIPT_LIMIT_S + 0.1) == [ASK]
    assert [c for c in story.tell(CallerSaid("u", "Yes.")) if isinstance(c, AnswerApproval)] == []
    story.answer(response="again", item="ia", request=story.requests[-1])
    story.listen(1.2)
    assert say(story, "No.", "v") == [AnswerApproval("mcpr_1", approved=False)]


def test_a_line_that_takes_only_keys_asks_for_no_words() -> None:
    """>> a turn behind a question that words do not answer, its transcript fails << the question stands."""
    story = asked(Story(KEYED))
    turn(story, "u")
    story.tell(TranscriptionFailed("u"))
    assert story.listen(6) == []
    assert story.noted(notes.ApprovalNotUnderstood) == []
    assert story.tell(DigitPressed("1")) == [AnswerApproval("mcpr_1", approved=True)]


@pytest.mark.parametrize("words", ["", " ", "…", "?!"])
def test_words_that_say_nothing_are_asked_for_again_at_once(words: str) -> None:
    """>> an empty transcript, or punctuation alone << the question again, without waiting for the time of the words."""
    story = asked(Story(SETTINGS))
    turn(story, "u")
    story.tell(CallerSaid("u", words))
    assert story.listen(1.5) == [ASK]
    assert story.noted(notes.ApprovalNotUnderstood) == [
        notes.ApprovalNotUnderstood(server="crm", tool="get_customer", asked_again=True)
    ]


def test_a_turn_before_the_question_is_put_again_is_no_answer() -> None:
    """>> a turn that was not understood, a yes before the question is put once more << the yes behind it counts."""
    story = asked(Story(SETTINGS))
    turn(story, "u1")
    story.tell(TranscriptionFailed("u1"))
    story.tell(CallerSpoke("u2"))
    story.tell(CallerPaused("u2"))
    story.tell(TurnCommitted("u2"))
    told = story.tell(CallerSaid("u2", "Yes."))
    assert [command for command in told if isinstance(command, AnswerApproval)] == []
    story.answer(response="r of u2", item="i of u2")
    assert story.listen(2) == [ASK]
    story.answer(response="again", item="i again", request=story.requests[-1])
    assert say(story, "Yes.", "u3") == [AnswerApproval("mcpr_1", approved=True)]


def test_a_turn_before_a_question_that_failed_and_is_said_after_all_is_no_answer() -> None:
    """>> the question fails without a sound, a turn, the question << only a turn behind what was heard answers it."""
    story = Story(CallSettings(approvals=SETTINGS.approvals, barge_in=False))
    story.tell(ResponseStarted("r"))
    story.tell(WANTED)
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ASK]
    story.tell(ResponseStarted("silent", story.requests[-1]))
    assert story.tell(ResponseEnded("silent", ResponseStatus.FAILED)) == []
    story.tell(CallerSpoke("u1"))
    story.wait(1.1)
    story.tell(CallerPaused("u1"))
    story.tell(TurnCommitted("u1"))
    story.answer(response="r1", item="i1")
    assert story.requests, "the question is asked for again"
    story.answer(response="q", item="iq", request=story.requests[-1])
    told = story.tell(CallerSaid("u1", "Yes."))
    assert [command for command in told if isinstance(command, AnswerApproval)] == []
    assert say(story, "No.", "u2") == [AnswerApproval("mcpr_1", approved=False)]


CALL_FIRST, REQUEST_FIRST, CALL_BESIDE = "call, request", "request, call", "request, response.done, call"


def shown_and_asked(order: str) -> Story:
    """The service shows the call itself before the caller has allowed it; clients have seen several orders."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    if order == CALL_FIRST:
        story.tell(CALLED)
    story.tell(WANTED)
    if order == REQUEST_FIRST:
        story.tell(CALLED)
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ASK]
    if order == CALL_BESIDE:
        story.tell(CALLED)
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(5)
    return story


@pytest.mark.parametrize("order", [CALL_FIRST, REQUEST_FIRST, CALL_BESIDE])
def test_a_call_that_is_denied_is_over_in_any_order(order: str) -> None:
    """>> a call that is shown before it is allowed; the key that denies << the model answers at once."""
    story = shown_and_asked(order)
    assert story.tell(DigitPressed("2")) == [AnswerApproval("mcpr_1", approved=False), CreateResponse()]
    kinds = [note.event for note in story.notes]
    assert kinds.count("mcp_called") == kinds.count("mcp_returned") == (order == CALL_FIRST)


@pytest.mark.parametrize("order", [CALL_FIRST, REQUEST_FIRST, CALL_BESIDE])
def test_a_call_that_is_allowed_runs_from_then_on_in_any_order(order: str) -> None:
    """The time that the caller takes for the answer is not the server's."""
    story = shown_and_asked(order)
    assert story.tell(DigitPressed("1")) == [AnswerApproval("mcpr_1", approved=True)]
    story.listen(0.4)
    assert story.tell(McpReturned("item_m")) == [CreateResponse()]
    (returned,) = (note for note in story.notes if isinstance(note, notes.McpReturned))
    assert (returned.outcome, returned.took_ms) == ("ok", 400)
    assert [note.event for note in story.notes].count("mcp_called") == 1


def test_a_second_call_of_the_same_tool_leaves_the_first_running() -> None:
    """>> a call that was allowed; a request for another << the first one's result is still waited for."""
    story = shown_and_asked(CALL_FIRST)
    story.tell(DigitPressed("1"))
    story.tell(ResponseStarted("r3"))
    story.tell(ApprovalRequested("mcpr_2", "crm", "get_customer"))
    story.tell(McpReturned("item_m"))
    (returned,) = (note for note in story.notes if isinstance(note, notes.McpReturned))
    assert returned.outcome == "ok"


def test_a_call_without_a_question_is_over_when_it_is_denied() -> None:
    """>> a call of a server for which the line has no question, then its request << denied, and nothing runs."""
    story = running(Story(CallSettings(silence=SETTINGS.silence)))
    assert story.tell(WANTED) == [AnswerApproval("mcpr_1", approved=False)]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CreateResponse()]


def test_a_call_that_was_denied_does_not_begin_late() -> None:
    """>> the call once more after the denial << nothing runs, and nothing is noted."""
    story = shown_and_asked(REQUEST_FIRST)
    story.tell(DigitPressed("2"))
    story.tell(CALLED)
    assert [note.event for note in story.notes].count("mcp_called") == 0


def test_a_key_that_answers_does_nothing_else() -> None:
    """>> the key that allows, which also ends the call elsewhere << the approval alone."""
    story = asked(Story(replace(SETTINGS, on_key={"1": KeyAction()})))
    assert story.tell(DigitPressed("1")) == [AnswerApproval("mcpr_1", approved=True)]
    assert story.listen(2) == []
