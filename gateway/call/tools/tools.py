"""The tools that the model calls in one call: those that run, and the digits that are keyed in for them. Pure.

All outputs go to the model as they come; when none is missing any more, one response is due.
"""

import math
from typing import assert_never

import msgspec

from gateway.call import notes
from gateway.call.errands import DialDigits, DigitsDialled, Errand, FunctionReturned, RunFunction
from gateway.call.leaving import GOODBYE, LeaveCall, PutOffLeaving
from gateway.call.notes import Note
from gateway.call.settings import END_CALL, TRANSFER_CALL, CallSettings, FunctionRule, Target
from gateway.call.speaking.responses import ANSWER, Request
from gateway.call.tools.allowance import SECRETS_SPENT, TOOLS_SPENT, Allowance
from gateway.call.tools.mcp import McpTools
from gateway.call.tools.secret_entry import SecretEntry
from gateway.call.tools.waiting import Wait
from gateway.text import json_text
from gateway.voice.commands import AnswerApproval, ReturnToolOutput
from gateway.voice.events import ApprovalRequested, McpCalled, McpReturned, ToolCalled, ToolsListed, ToolsRequested

BEING_TRANSFERRED = '{"error":"the caller is being connected already"}'
NOT_DONE = '{"error":"not carried out: the caller interrupted"}'
NO_SUCH_TOOL = '{"error":"this line has no such tool"}'
ONE_AT_A_TIME = '{"error":"the caller is keying something else in; call this again afterwards"}'
NOTHING_KEYED = '{"error":"the caller keyed nothing in"}'
BAD_DIGITS = '{"error":"digits must be 1 to 32 of 0-9, * and #"}'
BUSY = '{"error":"wait for the results of the other tools first"}'
ENDING = '{"result":"the call ends after your farewell"}'
TRANSFERRING = '{"result":"the caller is connected after your announcement"}'
DIALLED = '{"result":"the digits were dialled"}'
ToolEvent = (
    FunctionReturned | DigitsDialled | ToolsRequested | ToolsListed | McpCalled | McpReturned | ApprovalRequested
)


class CancelHeldResponse(msgspec.Struct, frozen=True):
    """Ask to cancel the response that the service keeps open as long as a tool runs.

    The service takes no other meanwhile. Cancelling it ends no tool: the result comes all the same, and a response of
    its own reports it.
    """


ToolCommand = (
    Errand | ReturnToolOutput | AnswerApproval | Note | Request | CancelHeldResponse | LeaveCall | PutOffLeaving
)
LAST_KEYS_S = 3.0
"""Keys are private so long after an entry that its last key or its length has ended, and after each further key."""
LATE_KEYS_S = 15.0
"""The same after an entry that ended by itself: the caller may only have been slow."""
_LEAVING_TOOLS = frozenset({END_CALL, TRANSFER_CALL})
_KEYS = frozenset("0123456789*#")
_MOST_KEYS = 32


class _RunningFunction(msgspec.Struct):
    """A function at work: since when, and the words that cover its wait."""

    name: str
    since: float
    wait: Wait
    keyed: tuple[str, ...] = ()


class Tools:
    """The tools of one call. Times are in seconds; what is returned is to be carried out."""

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self._running: dict[str, _RunningFunction] = {}
        self._mcp = McpTools(settings)
        """Those that the service runs by itself."""
        self._entry: SecretEntry | None = None
        """The digits that the caller is keying in and the model must not see."""
        self._private_until = 0.0
        self._output_untold = False
        self._allowance = Allowance(settings)

    @property
    def busy(self) -> bool:
        """``True`` if an output is still missing."""
        return bool(self._running) or self._entry is not None or self._mcp.busy

    @property
    def server_at_work(self) -> bool:
        """``True`` if the service runs a tool by itself."""
        return self._mcp.running

    @property
    def asks_for_secret(self) -> bool:
        """``True`` if the caller is keying in what the model must not see."""
        return self._entry is not None

    @property
    def asks_for_key(self) -> bool:
        """``True`` if the next key answers a question that the caller was asked."""
        return self._mcp.takes_keys

    @property
    def answer_due(self) -> bool:
        """``True`` if there are outputs that no response has reported yet, and none is missing."""
        return (self._output_untold or self._mcp.answer_due) and not self.busy

    def called(self, call: ToolCalled, now: float, *, silent: bool, transferring: bool) -> list[ToolCommand]:
        """Carry out what the model calls. ``silent``: it has said nothing that is still to be heard."""
        note = notes.ToolCalled(call.name, call.call_id)
        if call.name not in _LEAVING_TOOLS and not self._allowance.count_tool():
            self._output_untold = self._output_untold or self._allowance.reports_refusals
            return [note, _returned_at_once(call, "refused"), ReturnToolOutput(call.call_id, TOOLS_SPENT)]
        return [note, *self._carry_out(call, now, silent=silent, transferring=transferring)]

    def caller_spoke(self, item_id: str, now: float) -> None:
        """Note that the caller begins a turn."""
        self._allowance.caller_spoke(item_id, now)
        self._mcp.caller_spoke(item_id, now)

    def caller_done(self, item_id: str, now: float) -> None:
        """Note that this turn is over."""
        self._mcp.caller_done(item_id, now)

    def caller_said(self, item_id: str, text: str, now: float) -> list[AnswerApproval | Note]:
        """Take the words of a turn, which may answer a question."""
        return self._mcp.caller_said(item_id, text, now)

    def not_understood(self, item_id: str, now: float) -> list[AnswerApproval | Note]:
        """Note that the words of a turn, which may have answered a question, could not be made out."""
        return self._mcp.not_understood(item_id, now)

    def handle(self, event: ToolEvent, now: float) -> list[ToolCommand]:
        """Take a result or a report of a tool."""
        match event:
            case FunctionReturned():
                return self._function_returned(event, now)
            case DigitsDialled(call_id=call_id, failure=failure):
                output = json_text({"error": failure}) if failure else DIALLED
                returned = FunctionReturned(call_id, output, "error" if failure else "ok")
                return [*([] if failure else [notes.DigitsSent()]), *self._function_returned(returned, now)]
            case ToolsRequested() | ToolsListed():
                return [*self._mcp.listed(event)]
            case McpCalled():
                called = self._mcp.called(event, now)
                if called:
                    self._allowance.count_tool()
                return [*called, *([PutOffLeaving()] if called else ())]
            case McpReturned():
                return [*self._mcp.returned(event, now)]
            case ApprovalRequested() if self._allowance.tools_spent:
                return [*self._mcp.denied(event, now)]
            case ApprovalRequested():
                return [*self._mcp.requested(event, now), PutOffLeaving()]
            case _:
                assert_never(event)

    def not_carried_out(self, call: ToolCalled) -> list[ReturnToolOutput]:
        """Refuse a call of a cancelled response: it must have an output, and no response follows."""
        return [ReturnToolOutput(call.call_id, NOT_DONE)]

    def session_lost(self, now: float) -> list[Note]:
        """Give up what the session itself was doing; functions go on, and the next session gets their outputs."""
        return self._mcp.session_lost(now)

    def _carry_out(self, call: ToolCalled, now: float, *, silent: bool, transferring: bool) -> list[ToolCommand]:
        if call.name in self._settings.functions:
            return [PutOffLeaving(), *self._begin_function(call, now)]
        match call.name if call.name in self._settings.built_in else "":
            case "end_call" | "transfer_call" if transferring:
                return [_returned_at_once(call, "refused"), *self._give_output(call.call_id, BEING_TRANSFERRED)]
            case "end_call" | "transfer_call" if self._output_untold or self._mcp.answer_due or self.busy:
                return [_returned_at_once(call, "refused"), *self._give_output(call.call_id, BUSY)]
            case "end_call":
                return self._leave(call, None, GOODBYE if silent else None, ENDING)
            case "transfer_call":
                target = self._settings.targets.get(argument(call, "target"))
                if target is None:
                    known = ", ".join(self._settings.targets)
                    refusal = self._give_output(
                        call.call_id, json_text({"error": f"unknown target, expected one of {known}"})
                    )
                    return [_returned_at_once(call, "refused"), *refusal]
                return self._leave(call, target, target.announce if silent else None, TRANSFERRING)
            case "send_digits":
                return self._dial(call, now)
            case _:
                return self._give_output(call.call_id, NO_SUCH_TOOL)

    def _leave(self, call: ToolCalled, target: Target | None, words: Request | None, output: str) -> list[ToolCommand]:
        """Leave once the last words were heard: those of this response, or ``words``."""
        leave = LeaveCall(target, words, by_model=True)
        return [leave, _returned_at_once(call, "ok"), ReturnToolOutput(call.call_id, output)]

    def _begin_function(self, call: ToolCalled, now: float) -> list[ToolCommand]:
        """Start a function, or the entry of what the caller has to key in for it."""
        rule = self._settings.functions[call.name]
        if not rule.secrets:
            return [self._run_function(call, rule, now)]
        if self._entry is not None:
            return self._give_output(call.call_id, ONE_AT_A_TIME)
        if not self._allowance.may_key(call.name):
            return [_returned_at_once(call, "refused"), *self._give_output(call.call_id, SECRETS_SPENT)]
        self._entry = SecretEntry(call, rule.secrets, now)
        return [self._entry.started_note()]

    def _dial(self, call: ToolCalled, now: float) -> list[ToolCommand]:
        digits = argument(call, "digits")
        if not 0 < len(digits) <= _MOST_KEYS or not _KEYS.issuperset(digits):
            return self._give_output(call.call_id, BAD_DIGITS)
        self._running[call.call_id] = _RunningFunction(call.name, now, Wait(None, now))
        return [PutOffLeaving(), DialDigits(call.call_id, digits)]

    def _give_output(self, call_id: str, output: str) -> list[ToolCommand]:
        """Give the model an output; a response that reports it is due."""
        self._output_untold = True
        return [ReturnToolOutput(call_id, output)]

    def _function_returned(self, returned: FunctionReturned, now: float) -> list[ToolCommand]:
        """Hand the model the output of a function, which names what was keyed in without saying it."""
        running = self._running.pop(returned.call_id, None)
        if running is None:
            return []
        output = returned.output
        if running.keyed:
            output = json_text({**dict.fromkeys(running.keyed, "entered"), "result": msgspec.Raw(output.encode())})
        took_ms = round((now - running.since) * 1000)
        note = notes.ToolReturned(running.name, returned.call_id, returned.outcome, took_ms)
        return [note, *self._give_output(returned.call_id, output)]

    def wish(self, now: float) -> Request | None:
        """Return the request that is due now that nobody speaks: a prompt, a question, or an answer. Each once.

        The answer knows the outputs. A question waits for the end of an entry, during which neither a key nor a word
        would answer it.
        """
        asked = self._mcp.question(now) if self._entry is None else self._entry.prompt()
        if asked is None and self.answer_due:
            self._output_untold = self._mcp.answer_due = False
            return ANSWER
        return asked

    def unsaid(self) -> None:
        """Say questions and prompts again: the caller interrupted, or the service was kept from speaking."""
        self._mcp.unsaid()
        if self._entry is not None:
            self._entry.unsaid()

    def response_started(self, request: Request | None, *, answers: bool) -> None:
        """Note a response that begins: it says ``request``, or it ``answers`` and so knows every output so far."""
        self._mcp.asking(request)
        if answers and not self.busy:
            self._output_untold = self._mcp.answer_due = False

    # What the caller keys in confidence

    def private(self, now: float) -> bool:
        """Return ``True`` if a key must stay secret: during an entry, and for a while after it, for late keys."""
        return self._entry is not None or now < self._private_until

    @property
    def private_until(self) -> float:
        """The time up to which keys stay secret: not known during an entry."""
        return math.inf if self._entry is not None else self._private_until

    def counts(self, digit: str) -> bool:
        """Return ``True`` if a key is part of what is keyed in."""
        return self._entry is not None and self._entry.counts(digit)

    def answer_by_key(self, digit: str, now: float) -> list[AnswerApproval | Note]:
        """Take a key as the answer to a question; return nothing if none takes a key."""
        return self._mcp.press(digit, now)

    def key(self, digit: str, now: float) -> list[ToolCommand]:
        """Take a private key."""
        if self._entry is None:
            self._private_until = max(self._private_until, now + LAST_KEYS_S)
            return []
        return self._entered(self._entry, now, LAST_KEYS_S) if self._entry.press(digit, now) else []

    def _entered(self, entry: SecretEntry, now: float, private_s: float) -> list[ToolCommand]:
        done = entry.ended_note("entered")
        entry.keep(now)
        if not entry.complete:
            return [done, entry.started_note()]
        self._entry = None
        self._private_until = now + private_s
        self._allowance.keyed(entry.call.name)
        rule = self._settings.functions[entry.call.name]
        return [done, self._run_function(entry.call, rule, now, entry)]

    def abandon(self) -> list[Note]:
        """Forget whatever was keyed in, because the call ends."""
        if self._entry is None:
            return []
        note = self._entry.ended_note("abandoned")
        self._entry = None
        return [note]

    # Time

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if nothing is."""
        if not self.busy:
            return None
        due = [running.wait.at for running in self._running.values()]
        due.append(self._mcp.next_deadline())
        if self._entry is not None:
            due.append(self._entry.next_deadline())
        return min((at for at in due if at is not None), default=None)

    def on_deadline(self, now: float, *, quiet: bool, talking: bool, held: bool) -> list[ToolCommand]:
        """Return what is due. ``quiet``: nobody speaks or is about to, or only a response ``held`` open for a tool.

        Words that cover a wait are said only while ``talking``.
        """
        commands: list[ToolCommand] = [*self._mcp.on_deadline(now, quiet=quiet and self._entry is None)]
        entry = self._entry
        if entry is not None and now >= entry.next_deadline():
            commands += self._entry_due(entry, now, quiet=quiet)
        return [*commands, *self._please_wait(now, quiet=quiet and talking, held=held)]

    def _entry_due(self, entry: SecretEntry, now: float, *, quiet: bool) -> list[ToolCommand]:
        """End an entry whose time is over; one that has not begun waits for the end of speech."""
        if entry.begun:
            return self._entered(entry, now, LATE_KEYS_S)
        if not quiet:
            entry.wait(now)
            return []
        done = entry.ended_note("nothing")
        self._entry = None
        self._private_until = now + LATE_KEYS_S
        return [done, *self._give_output(entry.call.call_id, NOTHING_KEYED)]

    def _please_wait(self, now: float, *, quiet: bool, held: bool) -> list[Request | CancelHeldResponse]:
        """Ask for the words that cover the wait for tools: once for each tool, and the same words once for several."""
        waits = [running.wait for running in self._running.values()]
        of_functions = [words for wait in waits if (words := wait.words(now, quiet=quiet)) is not None]
        of_servers = self._mcp.please_wait(now, quiet=quiet or held)
        free = [CancelHeldResponse()] if of_servers else []
        return [*free, *dict.fromkeys((*of_functions, *of_servers))]

    def _run_function(
        self, call: ToolCalled, rule: FunctionRule, now: float, entry: SecretEntry | None = None
    ) -> RunFunction:
        values = entry.values if entry is not None else {}
        self._running[call.call_id] = _RunningFunction(
            call.name,
            now,
            Wait(rule.waiting, now),
            keyed=tuple(values),
        )
        return RunFunction(call.call_id, call.name, call.arguments, values)


def _returned_at_once(call: ToolCalled, outcome: str) -> notes.ToolReturned:
    return notes.ToolReturned(call.name, call.call_id, outcome, took_ms=0)


def argument(call: ToolCalled, name: str) -> str:
    """Return a text among the arguments that the model wrote; empty if there is none or they are no JSON object."""
    try:
        arguments: object = msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, RecursionError):
        return ""
    value = arguments.get(name) if isinstance(arguments, dict) else None
    return value if isinstance(value, str) else ""
