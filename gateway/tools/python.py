"""Carries out the operator's functions in Python."""

import asyncio
import inspect
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from pydantic_core import to_jsonable_python

from gateway.function import CallContext, PythonCall, ToolError
from gateway.tools.blocking import Blocking
from gateway.tools.result import FunctionFailed, excerpt, require_short
from gateway.tools.threads import Threads
from gateway.tools.watched import Watched


async def run(
    name: str, python: PythonCall, context: CallContext, arguments: Mapping[str, Any], blocking: Blocking
) -> Any:
    """Return what the coroutine function returns, as a value of JSON.

    Raises FunctionFailed where it raises, or returns anything else. Neither the message of its exception nor its
    arguments are kept, for they may hold what the caller said or keyed.
    """
    watched: Watched[Any] | None = None
    with _failing():
        try:
            watched = Watched(python.function(**arguments, **_own(python, context)))
            return _as_json(await watched)
        finally:
            if watched is not None:
                blocking.note(name, python.function, watched.longest_s, time.monotonic())


async def run_in_thread(
    name: str, python: PythonCall, context: CallContext, arguments: Mapping[str, Any], threads: Threads
) -> Any:
    """Return what a function that may block returns, and raise FunctionFailed, as :func:`run` does."""

    def call() -> Any:
        result = python.function(**arguments, **_own(python, context))
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("the function returned a coroutine, expected async def")
        return _as_json(result)

    with _failing():
        return await threads.run(name, call)


def _own(python: PythonCall, context: CallContext) -> dict[str, CallContext]:
    return {python.context_parameter: context} if python.context_parameter else {}


@contextmanager
def _failing() -> Iterator[None]:
    """Turn whatever the operator's code raises into FunctionFailed, except for a cancellation of the call."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise _failed(error) from None  # it cancelled a task of its own
    except FunctionFailed:
        raise
    except ToolError as error:
        raise FunctionFailed(excerpt(str(error)) or "the function failed", "the function raised ToolError") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the operator's code, which can raise anything
        raise _failed(error) from None


def _as_json(result: Any) -> Any:
    if result is None:
        return {"result": "done"}
    require_short(result)
    if isinstance(result, str):
        return {"result": result}
    return to_jsonable_python(result, inf_nan_mode="null", fallback=msgspec.to_builtins)


def _failed(error: BaseException) -> FunctionFailed:
    return FunctionFailed("the function failed", f"the function raised {_kind(error)}", trace=trace_of(error))


def trace_of(error: BaseException) -> str:
    """Return the traceback of an exception and of those that led to it, without their messages."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{_kind(current)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n\nwhich came of:\n\n".join(parts)


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
