"""How much a model may do in one call."""

from gateway.call import notes
from gateway.call.errands import FunctionReturned, RunFunction
from gateway.call.settings import Approval, CallSettings, FunctionRule, Secret
from gateway.call.speaking.responses import ANSWER
from gateway.call.tools.allowance import ANSWERS, SECRETS_SPENT, TOOLS_SPENT, Allowance
from gateway.function import SecretDigits
from gateway.phone.events import DigitPressed
from gateway.voice.commands import AnswerApproval, ReturnToolOutput, SayText
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
)
from tests.story import Story

SETTINGS = CallSettings(
    functions={"look": FunctionRule(), "pay": FunctionRule((Secret(SecretDigits("pin", length=4)),))},
    built_in=frozenset({"end_call", "send_digits"}),
    approvals={"shop": Approval(SayText("May I?"), key="1")},
    tool_calls_limit=3,
    secret_attempts_limit=2,
)


def looked(story: Story, number: int) -> list[object]:
    """The model calls a function, which returns at once where it ran."""
    commands: list[object] = [*story.call("look", call_id=f"c{number}", response=f"r{number}")]
    if any(isinstance(command, RunFunction) for command in commands):
        commands += story.tell(FunctionReturned(f"c{number}", "{}"))
    return commands


def test_so_many_tools_and_no_more() -> None:
    """The first run; the next is refused, and a response tells so."""
    story = Story(SETTINGS)
    for number in range(3):
        assert any(isinstance(command, RunFunction) for command in looked(story, number))
    refused = looked(story, 3)
    assert ReturnToolOutput("c3", TOOLS_SPENT) in refused
    assert ANSWER in refused
    assert not any(isinstance(command, RunFunction) for command in refused)
    assert story.noted(notes.ToolReturned)[-1].outcome == "refused"


def test_a_call_can_be_left_all_the_same() -> None:
    """end_call is not counted."""
    story = Story(SETTINGS)
    for number in range(4):
        looked(story, number)
    assert ReturnToolOutput("bye", '{"result":"the call ends after your farewell"}') in story.call(
        "end_call", call_id="bye", response="r-bye"
    )


def test_other_tools_count_too() -> None:
    """Digits to dial, tools that the line does not have, and those that the service runs by itself."""
    story = Story(SETTINGS)
    story.call("send_digits", '{"digits":"1"}', call_id="c0", response="r0")
    story.call("no_such", call_id="c1", response="r1")
    story.tell(McpCalled("m1", "shop", "buy"))
    assert ReturnToolOutput("c3", TOOLS_SPENT) in looked(story, 3)


def test_a_tool_of_a_server_counts_once() -> None:
    """Though the service tells of each by several events: two of three are used, the third is there."""
    story = Story(SETTINGS)
    for number in range(2):
        for _ in range(3):
            story.tell(McpCalled(f"m{number}", "shop", "buy"))
        story.tell(McpReturned(f"m{number}"))
        story.tell(McpCalled(f"m{number}", "shop", "buy"))
    assert RunFunction("c2", "look", "{}") in looked(story, 2)
    assert ReturnToolOutput("c3", TOOLS_SPENT) in looked(story, 3)


def test_nobody_is_asked_for_a_tool_too_many() -> None:
    """What needs the caller's word is denied by itself."""
    story = Story(SETTINGS)
    for number in range(3):
        looked(story, number)
    assert AnswerApproval("a1", approved=False) in story.tell(ApprovalRequested("a1", "shop", "buy"))
    assert story.noted(notes.ApprovalAsked) == []
    assert story.noted(notes.ApprovalGiven)[-1].how == "limit"


def test_a_model_that_goes_on_calling_is_left_alone() -> None:
    """No endless exchange of calls and refusals: after some no response is asked for, until the caller speaks."""
    story = Story(SETTINGS)
    answered = [ANSWER in looked(story, number) for number in range(3 + ANSWERS)]
    assert all(answered)
    assert looked(story, 50) == [ReturnToolOutput("c50", TOOLS_SPENT)]
    story.tell(CallerSpoke("u"))
    story.tell(CallerPaused("u"))
    assert ANSWER in looked(story, 51)


def test_a_secret_is_keyed_in_so_often_and_no_more() -> None:
    """Nobody tries all PINs in one call; other functions go on."""
    story = Story(CallSettings(functions=SETTINGS.functions, secret_attempts_limit=2))
    for number in range(2):
        story.call("pay", call_id=f"c{number}", response=f"r{number}")
        ran = [command for key in "1234" for command in story.tell(DigitPressed(key))]
        assert any(isinstance(command, RunFunction) for command in ran)
        story.tell(FunctionReturned(f"c{number}", '{"error":"wrong"}'))
    assert ReturnToolOutput("c2", SECRETS_SPENT) in story.call("pay", call_id="c2", response="r2")
    assert story.noted(notes.SecureEntryStarted)[2:] == []
    assert story.noted(notes.ToolReturned)[-1].outcome == "refused"
    assert any(isinstance(command, RunFunction) for command in looked(story, 3))


def test_an_entry_without_a_digit_is_no_attempt() -> None:
    """A caller who looks for the card may be asked again."""
    story = Story(CallSettings(functions=SETTINGS.functions, secret_attempts_limit=1))
    for number in range(3):
        story.call("pay", call_id=f"c{number}", response=f"r{number}")
        assert story.conversation._tools.asks_for_secret
        story.listen(31.0)
        assert not story.conversation._tools.asks_for_secret


def test_counts() -> None:
    """Each function has attempts of its own."""
    allowance = Allowance(CallSettings(secret_attempts_limit=1, tool_calls_limit=1))
    allowance.keyed("a")
    assert (allowance.may_key("a"), allowance.may_key("b")) == (False, True)
    assert (allowance.count_tool(), allowance.count_tool()) == (True, False)


def test_every_turn_may_be_told_of_as_many_refusals() -> None:
    """The third refusal of a turn is still told, the fourth not; and so in the next turn."""
    allowance = Allowance(CallSettings(tool_calls_limit=0))
    for _ in range(2):
        told = []
        for _ in range(5):
            assert not allowance.count_tool()
            told.append(allowance.reports_refusals)
        assert told == [True] * ANSWERS + [False] * 2
        allowance.caller_spoke("u", 0.0)


def test_refusals_in_a_row_do_not_swallow_a_result() -> None:
    """>> the last tool returns, then five calls too many in the same response << one response tells of all."""
    story = Story(CallSettings(functions=SETTINGS.functions, tool_calls_limit=1))
    story.tell(ResponseStarted("r"))
    assert story.tell(ToolCalled("r", "c", "look", "{}")) == [RunFunction("c", "look", "{}")]
    assert story.tell(FunctionReturned("c", '{"found":1}')) == [ReturnToolOutput("c", '{"found":1}')]
    for number in range(ANSWERS + 2):
        assert story.tell(ToolCalled("r", f"c{number}", "look", "{}")) == [ReturnToolOutput(f"c{number}", TOOLS_SPENT)]
    assert story.tell(ResponseEnded("r", ResponseStatus.COMPLETED)) == [ANSWER]
    story.answer(response="r2", item="i2", request=story.requests[-1])
    story.goes_on()
