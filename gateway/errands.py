"""Carries out the errands of one call's conversation, beside its legs: functions, transfers, digits."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, assert_never

import structlog

from gateway.call.errands import (
    DialDigits,
    DigitsDialled,
    Errand,
    ErrandEvent,
    FunctionReturned,
    RunFunction,
    TransferCaller,
    TransferEnded,
)
from gateway.call.metrics import Metrics
from gateway.config import Line
from gateway.function import CallContext
from gateway.phone.commands import SendDigits, StreamCommand, TransferCall
from gateway.phone.events import CallStarted
from gateway.phone.leg import PhoneLeg
from gateway.phone.provider import Provider
from gateway.phone.requests import Requests
from gateway.rest import CallControl, CallControlError, described
from gateway.tools import FunctionCall, Functions

if TYPE_CHECKING:  # an extra, which is not there where no traces are made
    from gateway.tracing.call_trace import CallTrace

log = structlog.get_logger()


class CallErrands:
    """Carries out the errands of one call."""

    def __init__(
        self,
        *,
        line: Line,
        started: CallStarted,
        provider: Provider,
        phone: PhoneLeg,
        functions: Functions,
        control: CallControl,
        metrics: Metrics,
        trace: "CallTrace | None" = None,
    ) -> None:
        self._line = line.name
        self._known = {function.name: function for function in line.functions}
        self._started = started
        self._provider = provider
        self._commands = provider.commands
        self._phone = phone
        self._functions = functions
        self._control = control
        self._trace = trace
        self._failures = metrics.call_control_failures.labels(provider.name)

    async def run(self, errand: Errand) -> ErrandEvent:
        """Carry out an errand, and return the event of its result."""
        match errand:
            case RunFunction():
                return await self._run(errand)
            case TransferCaller(to=to):
                by_api = self._commands.transfer if self._commands else None
                refusal = await self._ask(by_api, to, TransferCall(to), "transfer a call")
                return TransferEnded(refusal)
            case DialDigits(call_id=tool_call_id, digits=digits):
                by_api = self._commands.send_digits if self._commands else None
                refusal = await self._ask(by_api, digits, SendDigits(digits), "send digits")
                return DigitsDialled(tool_call_id, refusal)
            case _:
                assert_never(errand)

    async def _run(self, errand: RunFunction) -> FunctionReturned:
        started = self._started
        context = CallContext(
            call_id=started.call_id,
            line=self._line,
            caller=started.caller,
            called=started.called,
            tool_call_id=errand.call_id,
            caller_withheld=started.withheld,
        )
        with self._traced(errand) as headers:
            call = FunctionCall(self._known[errand.name], context, errand.arguments, errand.secrets, headers)
            result = await self._functions.call(call)
        return FunctionReturned(errand.call_id, result.output, result.outcome)

    def _traced(self, errand: RunFunction) -> AbstractContextManager[Mapping[str, str]]:
        """Return what yields the headers of a function's request, within the function's span."""
        return nullcontext({}) if self._trace is None else self._trace.running(errand.call_id)

    async def _ask(
        self,
        by_api: Callable[[str, str], Requests] | None,
        argument: str,
        command: StreamCommand,
        what: str,
    ) -> str:
        """Ask the provider by its API, else on its stream; return why it failed, or an empty text."""
        try:
            if by_api and (requests := described(by_api, self._started.call_id, argument)):
                await self._control.perform(requests)
                return ""
        except CallControlError as error:
            self._failures.inc()
            log.error("call_control_failed", provider=self._provider.name, detail=str(error), answer=error.answer)
            return "the phone provider refused"
        if self._phone.order(command):
            return ""
        title = self._provider.traits.title
        self._failures.inc()
        log.error(
            "call_control_failed",
            provider=self._provider.name,
            detail=f"{title} cannot {what}, or its API is not configured",
        )
        return f"this phone provider cannot {what}"
