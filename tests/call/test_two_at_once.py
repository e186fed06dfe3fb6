"""Two things at once, told as stories: what each of them leads to does not get in the way of the other."""

from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import FunctionReturned, KeyedDigits, RunFunction, TransferCaller, TransferEnded
from gateway.call.leaving import CALL_GOES_ON, RESULTS_FIRST
from gateway.call.settings import (
    Approval,
    CallSettings,
    Digits,
    FunctionRule,
    KeyAction,
    Secret,
    Silence,
    Target,
    Waiting,
)
from gateway.call.tools.tools import ONE_AT_A_TIME
from gateway.function import SecretDigits
from gateway.phone.commands import StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed
from gateway.voice.commands import (
    AddMessage,
    AnswerApproval,
    CancelResponse,
    CreateResponse,
    ReturnToolOutput,
    SayText,
    SendAudio,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    TurnCommitted,
)
from tests.story import SILENCE, SPEECH, Story

ASK = SayText("May I?")
ASK_AGAIN = SayText("And may I do this?")
CARD = Secret(SecretDigits("card", timeout_s=10), SayText("Your card number, please."))
PIN = Secret(SecretDigits("pin", timeout_s=10), SayText("And your PIN."))
DESK = Target("desk", "+14255550199", SayText("I am connecting you."))
WAIT = SayText("One moment.")
OUTPUT = '{"state":"shipped"}'
SETTINGS = CallSettings(
    functions={
        "status": FunctionRule(),
        "slow": FunctionRule(waiting=Waiting(WAIT, 1.5)),
        "pay": FunctionRule(secrets=(CARD,)),
        "pay_safely": FunctionRule(secrets=(CARD, PIN)),
    },
    built_in=frozenset({"end_call", "transfer_call", "send_digits"}),
    targets={"desk": DESK},
    approvals={
        "crm": Approval(ASK, key="1", words=("yes",), timeout_s=20),
        "shop": Approval(ASK_AGAIN, key="1", words=("yes",), timeout_s=20),
    },
    mcp_waiting={"crm": Waiting(WAIT, 1.5)},
)
BOOK = ApprovalRequested("approval_1", "crm", "book")
BUY = ApprovalRequested("approval_2", "shop", "buy")


def speak(story: Story, item: str) -> None:
    """The caller takes a turn, and the service answers it."""
    story.tell(CallerSpoke(item))
    story.tell(CallerPaused(item))
    story.tell(TurnCommitted(item))
    story.answer(response=f"of {item}", item=f"to {item}")


def press(story: Story, keys: str) -> list[object]:
    """Press keys one after the other."""
    return [command for key in keys for command in story.tell(DigitPressed(key))]


def approvals(commands: list[object]) -> list[object]:
    """Those commands that answer the service."""
    return [command for command in commands if isinstance(command, AnswerApproval)]


def asked(story: Story, *requests: ApprovalRequested) -> Story:
    """A response wants tools, and the caller has heard the first question."""
    story.tell(ResponseStarted("r"))
    for request in requests:
        assert story.tell(request) == []
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ASK]
    story.answer(response="q", item="iq", request=story.requests[-1])
    assert story.listen(1.2) == []
    return story


# The caller's word


def test_the_first_answer_counts_although_a_second_came_before_its_words() -> None:
    """>> "no, never" and then "yes please", and only then the words of both << denied; the second decides nothing."""
    story = asked(Story(SETTINGS), BOOK)
    story.tell(CallerSpoke("u1"))
    story.tell(CallerPaused("u1"))
    story.tell(CallerSpoke("u2"))
    story.tell(CallerPaused("u2"))
    assert approvals([*story.tell(CallerSaid("u2", "Yes, please."))]) == []
    assert approvals([*story.tell(CallerSaid("u1", "No, never."))]) == [AnswerApproval("approval_1", approved=False)]
    assert story.noted(notes.ApprovalGiven) == [
        notes.ApprovalGiven(server="crm", tool="book", approved=False, how="words")
    ]
    story.tell(TurnCommitted("u2"))
    story.answer(response="r2", item="i2")
    story.goes_on()


def test_the_words_of_one_answer_do_not_answer_the_next_question() -> None:
    """>> a yes to the first of two questions, its transcript once more << only the first is allowed."""
    story = asked(Story(SETTINGS), BOOK, BUY)
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert approvals([*story.tell(CallerSaid("u", "Yes."))]) == [AnswerApproval("approval_1", approved=True)]
    story.answer(response="r2", item="i2")
    assert story.listen(2) == [ASK_AGAIN]
    story.answer(response="q2", item="iq2", request=story.requests[-1])
    assert approvals([*story.tell(CallerSaid("u", "Yes."))]) == []
    assert approvals([*press(story, "2")]) == [AnswerApproval("approval_2", approved=False)]


def test_a_turn_before_the_second_question_does_not_answer_it() -> None:
    """>> a key answers the first question, and a turn begins before the second << its words decide nothing."""
    story = asked(Story(SETTINGS), BOOK, BUY)
    assert press(story, "1") == [AnswerApproval("approval_1", approved=True), ASK_AGAIN]
    story.tell(CallerSpoke("u"))
    story.tell(ResponseStarted("q2", story.requests[-1]))
    story.tell(ResponseEnded("q2", ResponseStatus.CANCELLED))
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    assert approvals([*story.tell(CallerSaid("u", "Yes."))]) == []
    story.answer(response="r2", item="i2")
    assert story.listen(2) == [ASK_AGAIN]


def test_a_caller_who_talks_on_is_not_asked_twice_for_one_answer() -> None:
    """>> the first turn behind the question ends twice << its words have five seconds from the first end."""
    story = asked(Story(SETTINGS), BOOK)
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    story.wait(3)
    story.tell(TurnCommitted("u"))
    story.answer(response="r2", item="i2")
    assert story.listen(1.8) == []
    assert story.noted(notes.ApprovalNotUnderstood) == []
    assert story.listen(0.4) == [ASK]


def test_the_end_of_another_turn_starts_no_clock_for_the_words() -> None:
    """>> a turn that began before the question ends behind it << the question has its full time."""
    story = Story(SETTINGS)
    story.tell(CallerSpoke("u0"))
    story.tell(CallerPaused("u0"))
    asked(story, BOOK)
    story.tell(TurnCommitted("u0"))
    story.answer(response="r2", item="i2")
    assert story.listen(15) == []
    assert story.noted(notes.ApprovalNotUnderstood) == []


def test_a_question_that_was_heard_is_not_asked_again_after_an_interruption() -> None:
    """>> the caller speaks over an answer while the question stands << it is not put once more."""
    story = asked(Story(SETTINGS), BOOK)
    story.answer(response="r2", item="i2", seconds=3)
    story.listen(1)
    assert story.tell(CallerSpoke("u"))[0] == StopPlayback()
    story.tell(CallerPaused("u"))
    story.tell(TurnCommitted("u"))
    story.answer(response="r3", item="i3")
    assert story.listen(2) == []
    assert approvals([*press(story, "1")]) == [AnswerApproval("approval_1", approved=True)]


def test_two_allowed_tools_of_one_server_are_awaited_each() -> None:
    """>> two are allowed, the second begins and returns << the first is still waited for, then given up, and told."""
    book, cancel = BOOK, ApprovalRequested("approval_3", "crm", "cancel")
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(book)
    story.tell(cancel)
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ASK]
    story.answer(response="q", item="iq", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "1") == [AnswerApproval("approval_1", approved=True), ASK]
    story.answer(response="q2", item="iq2", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "1") == [AnswerApproval("approval_3", approved=True)]
    story.tell(McpCalled("item_2", "crm", "cancel"))
    assert story.tell(McpReturned("item_2")) == []
    assert story.listen(8.6) == []
    assert story.listen(0.4) == [CreateResponse()]
    assert [note.tool for note in story.noted(notes.McpReturned)] == ["cancel", "book"]
    assert [note.outcome for note in story.noted(notes.McpReturned)] == ["ok", "timeout"]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()


def test_a_tool_that_was_allowed_begins_and_is_not_awaited_any_more() -> None:
    """>> allowed, begun, returned << told once, and nothing is given up behind it."""
    story = asked(Story(SETTINGS), BOOK)
    assert press(story, "1") == [AnswerApproval("approval_1", approved=True)]
    story.tell(McpCalled("item_1", "crm", "book"))
    assert story.tell(McpReturned("item_1")) == [CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()
    assert len(story.noted(notes.McpReturned)) == 1


def test_a_late_word_of_a_server_that_was_given_up_begins_nothing() -> None:
    """>> timeout, then the result and the call's item again << neither is told, and nothing is waited for."""
    story = Story(CallSettings())
    story.tell(ResponseStarted("r"))
    story.tell(McpCalled("item_1", "crm", "book"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(61) == [CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.tell(McpReturned("item_1")) == []
    assert story.tell(McpCalled("item_1", "crm", "book")) == []
    story.goes_on()
    assert len(story.noted(notes.McpCalled)) == 1


# What is keyed in confidence


def test_a_question_waits_for_the_end_of_an_entry() -> None:
    """>> a secret and a question at once << the secret first, however long it takes; then the question, and its key."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(BOOK)
    story.tell(ToolCalled("r", "a", "pay", "{}"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CARD.prompt]
    story.answer(response="p", item="ip", request=story.requests[-1])
    story.listen(1.2)
    for key in "1111111":
        story.listen(4)
        assert press(story, key) == []
    assert press(story, "#") == [ASK, RunFunction("a", "pay", "{}", {"card": KeyedDigits("1111111")})]
    assert story.noted(notes.ApprovalGiven) == []
    story.answer(response="q", item="iq", request=story.requests[-1])
    story.listen(3.2)
    assert approvals(press(story, "1")) == [AnswerApproval("approval_1", approved=True)]


def test_a_question_of_before_an_entry_does_not_run_out_in_it() -> None:
    """>> a question that stands when the entry begins, thirty seconds of it << the caller's word still counts."""
    story = asked(Story(SETTINGS), BOOK)
    story.call("pay", call_id="a", response="r2")
    story.answer(response="p", item="ip", request=story.requests[-1])
    for key in "111111":
        story.listen(4.5)
        press(story, key)
    press(story, "#")
    assert story.noted(notes.ApprovalGiven) == []
    story.listen(3.2)
    assert approvals(press(story, "2")) == [AnswerApproval("approval_1", approved=False)]


def test_a_second_secret_of_another_function_waits_for_its_turn() -> None:
    """>> two functions that want keys << the second is refused once, and asked for by itself after the first."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "pay", "{}"))
    assert story.tell(ToolCalled("r", "b", "pay", "{}")) == [ReturnToolOutput("b", ONE_AT_A_TIME)]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CARD.prompt]
    story.answer(response="p", item="ip", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "41#") == [RunFunction("a", "pay", "{}", {"card": KeyedDigits("41")})]
    assert story.tell(FunctionReturned("a", OUTPUT))[-1] == CreateResponse()
    story.tell(ResponseStarted("r2", story.requests[-1]))
    story.tell(ToolCalled("r2", "b2", "pay", "{}"))
    assert story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED)) == [CARD.prompt]
    story.answer(response="p2", item="ip2", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "42#") == [RunFunction("b2", "pay", "{}", {"card": KeyedDigits("42")})]


def test_the_second_secret_has_all_its_time() -> None:
    """>> the first after nine seconds of ten, then its prompt << ten seconds for the second."""
    story = Story(SETTINGS)
    story.call("pay_safely")
    story.answer(response="p", item="ip", request=story.requests[-1])
    story.listen(9)
    assert press(story, "41#") == [PIN.prompt]
    assert story.noted(notes.SecureEntryStarted)[-1] == notes.SecureEntryStarted("pay_safely", "pin")
    story.answer(response="p2", item="ip2", request=story.requests[-1])
    assert story.listen(9.8) == []
    (run,) = press(story, "99#")
    assert run == RunFunction("call_1", "pay_safely", "{}", {"card": KeyedDigits("41"), "pin": KeyedDigits("99")})


def test_a_function_beside_an_entry_is_told_with_it() -> None:
    """>> a function returns while the caller keys in << one answer, when both are there; silence is not minded."""
    story = Story(replace(SETTINGS, silence=Silence(5, SayText("Still there?"), 1)))
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "status", "{}"))
    story.tell(ToolCalled("r", "b", "pay", "{}"))
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [CARD.prompt]
    story.answer(response="p", item="ip", request=story.requests[-1])
    assert story.tell(FunctionReturned("a", OUTPUT)) == [ReturnToolOutput("a", OUTPUT)]
    assert story.listen(9) == []
    assert [type(command) for command in press(story, "41#")] == [RunFunction]
    assert story.listen(9) == []
    assert [type(command) for command in story.tell(FunctionReturned("b", OUTPUT))] == [
        ReturnToolOutput,
        CreateResponse,
    ]


def test_a_late_secret_key_during_a_transfer_is_noted_nowhere() -> None:
    """>> an entry that a pause ended, a key that transfers, the other half of the number << in no note at all."""
    story = Story(replace(SETTINGS, digits=Digits()))
    story.call("pay")
    story.answer(response="p", item="ip", request=story.requests[-1])
    story.listen(1.2)
    press(story, "4111")
    assert [type(command) for command in story.listen(5.2)] == [RunFunction]
    story.tell(FunctionReturned("call_1", OUTPUT))
    story.tell(ResponseStarted("r2", story.requests[-1]))
    story.tell(ReplyAudio("r2", "i2", SPEECH * 25))
    story.tell(ToolCalled("r2", "t", "transfer_call", '{"target":"desk"}'))
    story.tell(ResponseEnded("r2", ResponseStatus.COMPLETED))
    assert story.listen(1.5) == [TransferCaller("desk", "+14255550199")]
    assert press(story, "22223333") == []
    assert story.noted(notes.DigitPressed) == []
    assert story.noted(notes.DigitsEntered) == []
    story.wait(14)
    assert press(story, "7") == []
    assert story.noted(notes.DigitPressed) == [notes.DigitPressed("7")], "15 s later a key is one again"


def test_a_transfer_by_key_during_an_entry_is_not_heard_of() -> None:
    """>> the key that transfers, while something is keyed in << it belongs to the entry; nothing is planned."""
    story = Story(replace(SETTINGS, on_key={"0": KeyAction(transfer=DESK)}))
    story.call("pay")
    story.answer(response="p", item="ip", request=story.requests[-1])
    story.listen(1.2)
    assert press(story, "0") == []
    assert story.conversation.state.name == "TALKING"
    (run,) = press(story, "1#")
    assert run == RunFunction("call_1", "pay", "{}", {"card": KeyedDigits("01")})


# Functions, transfers, hang-ups


def test_a_function_that_returns_during_a_transfer_is_told_if_it_fails() -> None:
    """>> a key transfers while a function runs, its result, the transfer fails << one response, which knows of both."""
    story = Story(replace(SETTINGS, on_key={"0": KeyAction(transfer=DESK)}))
    story.call("status")
    assert press(story, "0") == [DESK.announce]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.listen(1.5) == [TransferCaller("desk", "+14255550199")]
    assert story.tell(FunctionReturned("call_1", OUTPUT)) == [ReturnToolOutput("call_1", OUTPUT)]
    failed, answer = story.tell(TransferEnded("busy"))
    assert (type(failed), answer) == (AddMessage, CreateResponse())
    story.answer(response="r3", item="i3", request=story.requests[-1])
    story.goes_on()


def test_a_slow_function_is_not_covered_over_a_farewell_or_a_transfer() -> None:
    """>> a key leaves while a function takes long << no words about the wait: the caller has gone on."""
    story = Story(replace(SETTINGS, on_key={"0": KeyAction(transfer=DESK)}))
    story.call("slow")
    press(story, "0")
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.listen(10) == [TransferCaller("desk", "+14255550199")]
    story = Story(replace(SETTINGS, on_key={"0": KeyAction(transfer=DESK)}))
    story.tell(ResponseStarted("r"))
    story.tell(McpCalled("item_1", "crm", "book"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    press(story, "0")
    story.answer(response="r2", item="i2", request=story.requests[-1])
    assert story.listen(10) == [TransferCaller("desk", "+14255550199")]


def test_two_slow_functions_are_covered_at_once() -> None:
    """>> two functions take long at once << the same words are said once; of one that comes later, once more."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "slow", "{}"))
    story.tell(ToolCalled("r", "b", "slow", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.listen(1.6) == [WAIT]
    assert story.answer(response="w", item="iw", request=story.requests[-1]) == []
    assert story.listen(30) == []
    speak(story, "u")
    assert story.call("slow", call_id="c", response="r3") == [RunFunction("c", "slow", "{}")]
    assert story.listen(3) == [WAIT]
    story.answer(response="w2", item="iw2", request=story.requests[-1])
    assert story.listen(30) == []


def test_two_slow_servers_are_covered_at_once() -> None:
    """>> two tools of a server take long << the words once, and both results told by one answer."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(McpCalled("item_1", "crm", "book"))
    story.tell(McpCalled("item_2", "crm", "look"))
    assert story.listen(1.6) == [CancelResponse("r")]
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == [WAIT]
    assert story.answer(response="w", item="iw", request=story.requests[-1]) == []
    assert story.listen(30) == []
    assert story.tell(McpReturned("item_1")) == []
    assert story.tell(McpReturned("item_2")) == [CreateResponse()]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()


def test_a_second_end_call_does_not_ask_for_a_second_goodbye() -> None:
    """>> end_call and transfer_call in one response without a word << the first counts: one goodbye, then the end."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "end_call", "{}"))
    story.tell(ToolCalled("r", "b", "transfer_call", '{"target":"desk"}'))
    (goodbye,) = story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert isinstance(goodbye, CreateResponse)
    story.answer(response="g", item="ig", request=story.requests[-1])
    assert story.listen(1.5) == [EndCall(EndReason.BOT_HUNG_UP, "bot")]


def test_a_hang_up_that_was_put_off_and_asked_for_again_happens() -> None:
    """>> end_call, a function, its answer, end_call << put off once, and then done; nothing comes of the first."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "end_call", "{}"))
    assert story.tell(ToolCalled("r", "b", "status", "{}"))[0] == RESULTS_FIRST
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [], "no goodbye is asked for"
    assert story.tell(FunctionReturned("b", OUTPUT))[-1] == CreateResponse()
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()
    story.tell(CallerSpoke("bye"))
    story.tell(CallerPaused("bye"))
    story.tell(ResponseStarted("r3"))
    story.tell(ReplyAudio("r3", "i3", SPEECH * 50))
    story.tell(ToolCalled("r3", "c", "end_call", "{}"))
    story.tell(ResponseEnded("r3", ResponseStatus.COMPLETED))
    assert story.listen(1.5) == [EndCall(EndReason.BOT_HUNG_UP, "bot")]


def test_a_hang_up_that_was_called_off_happens_never() -> None:
    """>> end_call, speech over the farewell, the turn's answer << the call goes on, a minute later too."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", SPEECH * 100))
    story.tell(ToolCalled("r", "a", "end_call", "{}"))
    story.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
    assert story.tell(CallerSpoke("u"))[-1] == CALL_GOES_ON
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    story.goes_on()


def test_a_hang_up_that_was_called_off_asks_for_no_goodbye() -> None:
    """>> end_call without a word, speech before its response has ended << no goodbye is asked for."""
    story = Story(SETTINGS)
    story.tell(ResponseStarted("r"))
    story.tell(ToolCalled("r", "a", "end_call", "{}"))
    assert story.tell(CallerSpoke("u")) == [CancelResponse("r"), CALL_GOES_ON]
    assert story.tell(ResponseEnded("r", ResponseStatus.CANCELLED)) == []
    story.tell(CallerPaused("u"))
    story.answer(response="r2", item="i2")
    story.goes_on()


def test_keys_during_a_transfer_are_noted_and_do_nothing() -> None:
    """>> keys that mean something, while the provider connects << noted; nothing is said or planned."""
    story = Story(replace(SETTINGS, on_key={"9": KeyAction(say=WAIT), "*": KeyAction()}, digits=Digits()))
    story.call("transfer_call", '{"target":"desk"}')
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.5)
    assert press(story, "9*12#") == []
    assert story.listen(5) == []
    assert [note.digit for note in story.noted(notes.DigitPressed)] == list("9*12#")
    assert story.noted(notes.DigitsEntered) == []


def test_speech_during_a_transfer_leaves_nothing_behind() -> None:
    """>> a turn that the service hears all the same, then the transfer fails << told; then a call as any other."""
    story = Story(SETTINGS)
    story.call("transfer_call", '{"target":"desk"}')
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.listen(1.5)
    assert story.tell(CallerSpoke("u")) == []
    assert story.tell(CallerAudio(SPEECH)) == [SendAudio(SILENCE)]
    speak(story, "u")
    assert story.listen(1.5) == []
    assert [type(command) for command in story.tell(TransferEnded("busy"))] == [AddMessage, CreateResponse]
    story.answer(response="r3", item="i3", request=story.requests[-1])
    story.goes_on()
