"""Carries out the operator's coroutine functions."""

import asyncio
import traceback
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from pydantic_core import to_jsonable_python

from gateway.functions import CallContext, PythonCall, ToolError
from gateway.tools.result import FunctionFailed, excerpt
from gateway.tools.watched import Watched

log = structlog.get_logger()

BLOCKED_FROM_S = 0.05
"""A function that keeps the event loop longer than this delays the audio of every call."""


async def run(name: str, python: PythonCall, context: CallContext, arguments: Mapping[str, Any]) -> Any:
    """What the function returns, as JSON can say it. Raises FunctionFailed where it raises, or returns anything else.

    Neither the message of its exception nor its arguments are kept, for they may hold what the caller said or keyed.
    """
    own = {python.context_parameter: context} if python.context_parameter else {}
    watched: Watched[Any] | None = None
    try:
        watched = Watched(python.function(**arguments, **own))
        result = await watched
        return _as_json(result)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise _failed(error) from None  # it cancelled something of its own
    except ToolError as error:
        raise FunctionFailed(excerpt(str(error)) or "the function failed", "the function raised ToolError") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the operator's code, which can raise anything
        raise _failed(error) from None
    finally:
        if watched is not None and watched.longest_s > BLOCKED_FROM_S:
            blocked_ms = round(watched.longest_s * 1000)
            log.warning("function_blocks", tool=name, blocked_ms=blocked_ms)


def _as_json(result: Any) -> Any:
    if result is None:
        return {"result": "done"}
    if isinstance(result, str):
        return {"result": result}
    return to_jsonable_python(result, inf_nan_mode="null", fallback=msgspec.to_builtins)


def _failed(error: BaseException) -> FunctionFailed:
    return FunctionFailed("the function failed", f"the function raised {_kind(error)}", trace=trace_of(error))


def trace_of(error: BaseException) -> str:
    """The traceback of an exception and of those that led to it, without their messages."""
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
