"""Carries out a function that the model calls: checks it, runs it, limits it and reports the result."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog
from jsonschema import Draft202012Validator

from gateway.errors import InputError
from gateway.function import CallContext, Function, HttpCall
from gateway.tools import client, python
from gateway.tools.answer import value_of
from gateway.tools.arguments import check_by_schema, read_arguments, read_by_model, refused
from gateway.tools.blocking import Blocking
from gateway.tools.masking import masked
from gateway.tools.request import request_for
from gateway.tools.result import OUTPUT_LIMIT, FunctionFailed, FunctionResult, too_long, write_json
from gateway.tools.threads import Threads
from gateway.tools.validation import validator

log = structlog.get_logger()

AT_ONCE = 256
"""Most functions of all calls that run at the same time; further ones are refused."""
MASKED_AT_ONCE = 2048
"""Characters from which on an answer is searched in a thread: the search would take longer than a frame."""
VALIDATORS = 512
"""Most compiled schemas that are kept; more than the functions that a process serves."""


@dataclass(frozen=True)
class FunctionCall:
    """A function that the model calls: ``arguments`` as it wrote them, ``secrets`` as the caller keyed them in."""

    function: Function
    context: CallContext = field(repr=False)
    arguments: str = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the request beside the function's own, such as the trace that it belongs to."""


class Functions:
    """Carries functions out, several at once; one for the process. Use as an async context manager."""

    def __init__(self, on_left_running: Callable[[], None] = lambda: None) -> None:
        """Call ``on_left_running`` for each function whose thread goes on when nobody waits for it any more."""
        self._threads = Threads(on_left_running)
        self._blocking = Blocking()
        self._http: aiohttp.ClientSession | None = None
        self._running = 0
        self._validators: dict[int, tuple[Function, Draft202012Validator]] = {}

    async def __aenter__(self) -> "Functions":
        self._http = client.open_session(AT_ONCE)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def call(self, call: FunctionCall) -> FunctionResult:
        """Return what the model gets, whatever happens: raises nothing, but is cancelled when the call ends."""
        if self._http is None:
            raise RuntimeError("Functions is used outside its context")
        try:
            output = await self._output(call, self._http)
            return FunctionResult(await _masked(output, call.secrets.values()), "ok")
        except FunctionFailed as failure:
            return _failed(call, failure)
        except InputError as error:
            return _failed(call, FunctionFailed("the function failed", str(error)))
        except Exception as error:  # noqa: BLE001 -- no mistake in a tool, or in this module, may end a call
            trace = python.trace_of(error)
            return _failed(call, FunctionFailed("the function failed", "it cannot be carried out", trace=trace))

    async def _output(self, call: FunctionCall, http: aiohttp.ClientSession) -> str:
        if self._running >= AT_ONCE:
            raise refused("too many functions run at the moment", f"{AT_ONCE} functions run already")
        limit_s = call.function.timeout_s
        limit = asyncio.timeout(limit_s)
        self._running += 1
        try:
            async with limit:
                value = await self._value(call, http)
        except TimeoutError:
            if not limit.expired():
                raise
            message = f"no answer within {limit_s:g} seconds"
            raise FunctionFailed(message, f"not done within {limit_s:g} s", "timeout") from None
        finally:
            self._running -= 1
        output = write_json(value)
        if len(output.encode()) > OUTPUT_LIMIT:
            raise too_long()
        return output

    async def _value(self, call: FunctionCall, http: aiohttp.ClientSession) -> Any:
        function = call.function
        arguments = self._arguments(call)
        if isinstance(function.run, HttpCall):
            request = request_for(function.name, function.run, call.context, arguments, time.time(), call.headers)
            return value_of(await client.perform(http, request), function.run)
        if not function.run.in_thread:
            return await python.run(function.name, function.run, call.context, arguments, self._blocking)
        return await python.run_in_thread(function.name, function.run, call.context, arguments, self._threads)

    def _arguments(self, call: FunctionCall) -> dict[str, Any]:
        """Return the model's arguments, checked, and those that the caller keyed in."""
        function = call.function
        names = [secret.parameter for secret in function.secrets]
        if missing := [name for name in names if name not in call.secrets]:
            raise refused(f"the caller has not keyed in: {', '.join(missing)}", "a secret is missing")
        arguments = read_arguments(call.arguments, names)
        model = None if isinstance(function.run, HttpCall) else function.run.arguments
        if model is None:
            check_by_schema(arguments, self._validator(function))
        else:
            arguments = read_by_model(arguments, model)
        return arguments | dict(call.secrets)

    def _validator(self, function: Function) -> Draft202012Validator:
        """Return the validator, compiled once. The function is kept with it, so that no other gets its id."""
        known = self._validators.get(id(function))
        if known is None:
            if len(self._validators) >= VALIDATORS:
                del self._validators[next(iter(self._validators))]
            known = self._validators[id(function)] = (function, validator(function.parameters))
        return known[1]


async def _masked(output: str, secrets: Collection[str]) -> str:
    """Return the answer without the secrets; a long one takes a thread, so that no call waits for it."""
    if not secrets or len(output) < MASKED_AT_ONCE:
        return masked(output, secrets)
    return await asyncio.to_thread(masked, output, tuple(secrets))


def _failed(call: FunctionCall, failure: FunctionFailed) -> FunctionResult:
    """Return the failure for the model, and log the details that the model must not have."""
    trace = {"exception": failure.trace} if failure.trace else {}
    tool, call_id = call.function.name, call.context.tool_call_id
    log.warning("function_failed", tool=tool, call_id=call_id, outcome=failure.outcome, detail=failure.detail, **trace)
    output = write_json({"error": failure.message})
    return FunctionResult(masked(output, call.secrets.values()), failure.outcome)
