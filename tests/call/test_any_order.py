"""What holds for every call, whatever comes in whatever order: tried with random ones, the same in each run."""

import random
from collections.abc import Callable, Sequence

import pytest

from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import DigitsDialled, FunctionReturned, TransferCaller, TransferEnded
from gateway.call.messages import Command, Event
from gateway.call.settings import Approval, CallSettings, FunctionRule, KeyAction, Target
from gateway.phone.events import DigitPressed
from gateway.voice.commands import SayText
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
)
from tests.story import Story

CALLS, STEPS = 2_000, 40
DESK = Target("desk", "+14255550199", SayText("One moment."))
SETTINGS = CallSettings(
    functions={"status": FunctionRule()},
    built_in=frozenset({"end_call", "transfer_call", "send_digits"}),
    targets={"desk": DESK},
    approvals={"crm": Approval(SayText("May I?"), key="1", words=("yes",))},
    on_key={"0": KeyAction(transfer=DESK), "*": KeyAction()},
)


class Chance:
    """A call whose service, provider and caller do anything that they may, at random."""

    def __init__(self, seed: int) -> None:
        self.story = Story(SETTINGS)
        self._chance = random.Random(seed)
        self._number = 0
        self._calls: list[str] = []
        self._servers: list[str] = []
        self._transfers = 0

    def step(self) -> Sequence[Command]:
        """Let something happen; what the conversation does about it."""
        self._number += 1
        if self.story.conversation._bot.responses.response is None and self._chance.random() < 0.4:
            asked = self.story.requests[-1] if self.story.requests and self._chance.random() < 0.7 else ""
            return self._told(ResponseStarted(f"r{self._number}", asked))
        return self._chance.choice(self._acts)(self)

    def _told(self, event: Event) -> Sequence[Command]:
        commands = self.story.tell(event)
        self._transfers += sum(isinstance(command, TransferCaller) for command in commands)
        return commands

    def _response(self) -> str:
        return self.story.conversation._bot.responses.response or "none"

    def _call(self, name: str, arguments: str = "{}") -> Sequence[Command]:
        call_id = f"c{self._number}"
        if name in ("status", "send_digits"):
            self._calls.append(call_id)
        return self._told(ToolCalled(self._response(), call_id, name, arguments))

    def _server_called(self) -> Sequence[Command]:
        self._servers.append(f"m{self._number}")
        return self._told(McpCalled(self._servers[-1], "crm", "look"))

    def _returned(self) -> Sequence[Command]:
        call_id = self._calls.pop() if self._calls else "none"
        returned: list[Event] = [FunctionReturned(call_id, "{}"), DigitsDialled(call_id)]
        return self._told(self._chance.choice(returned))

    def _transfer_ended(self) -> Sequence[Command]:
        if not self._transfers:
            return []
        self._transfers -= 1
        return self._told(TransferEnded(self._chance.choice(["", "nobody answers"])))

    def _time_passes(self) -> Sequence[Command]:
        commands = self.story.listen(self._chance.choice([0.1, 1, 5]))
        self._transfers += sum(isinstance(command, TransferCaller) for command in commands)
        return commands

    _acts: tuple[Callable[["Chance"], Sequence[Command]], ...] = (
        lambda self: self._told(ResponseEnded(self._response(), self._chance.choice(list(ResponseStatus)))),
        lambda self: self._told(ReplyAudio(self._response(), f"i{self._response()}", b"\x10" * 800)),
        lambda self: self._call("status"),
        lambda self: self._call("send_digits", '{"digits":"1"}'),
        lambda self: self._call("end_call"),
        lambda self: self._call("transfer_call", '{"target":"desk"}'),
        _server_called,
        lambda self: self._told(McpReturned(self._servers.pop() if self._servers else "none")),
        lambda self: self._told(ApprovalRequested(f"q{self._number}", self._chance.choice(["crm", "other"]), "look")),
        _returned,
        _transfer_ended,
        lambda self: self._told(DigitPressed(self._chance.choice("01*5"))),
        lambda self: [*self._told(CallerSpoke("u")), *self._told(CallerPaused("u"))],
        _time_passes,
    )


@pytest.mark.parametrize("of", range(4))
def test_the_model_leaves_nothing_untold(of: int) -> None:
    """It ends or transfers a call only when no tool is at work and no result is untold; and there is one end."""
    left = 0
    for seed in range(of, CALLS, 4):
        call = Chance(seed)
        conversation = call.story.conversation
        for _ in range(STEPS):
            commands = call.step()
            leaves = [command for command in commands if isinstance(command, TransferCaller) or _is_hang_up(command)]
            if leaves and conversation._leaving._by_model:
                left += 1
                tools = conversation._tools
                assert not tools.busy, f"seed {seed}"
                assert not tools._output_untold, f"seed {seed}"
                assert not tools._mcp.answer_due, f"seed {seed}"
            if any(isinstance(command, EndCall) for command in commands):
                assert isinstance(commands[-1], EndCall), f"seed {seed}"
                assert call.step() == [], f"seed {seed}"
                break
    assert left


def _is_hang_up(command: Command) -> bool:
    return isinstance(command, EndCall) and command.reason is EndReason.BOT_HUNG_UP
