"""The operator's coroutine functions: what they get, return and raise."""

import asyncio
import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from gateway.function import CallContext, PythonCall, ToolError
from gateway.tools import python
from gateway.tools.blocking import Blocking
from gateway.tools.result import OUTPUT_LIMIT, FunctionFailed, write_json
from gateway.tools.threads import Threads
from tests.tools.service import CONTEXT


class Model(BaseModel):
    """A result."""

    day: date


class Struct(msgspec.Struct):
    """Another."""

    n: int


@dataclass
class Data:
    """And another."""

    price: Decimal


class Room(Enum):
    """A value."""

    TERRACE = "terrace"


async def returned(value: Any) -> Any:
    """What the model gets of a function that returns ``value``."""

    async def function() -> Any:
        return value

    return await python.run("f", PythonCall(function), CONTEXT, {}, Blocking())


async def raised(error: BaseException) -> FunctionFailed:
    """What comes of a function that raises ``error``."""

    async def function() -> None:
        raise error

    with pytest.raises(FunctionFailed) as caught:
        await python.run("f", PythonCall(function), CONTEXT, {}, Blocking())
    return caught.value


async def test_arguments_and_the_context_go_by_name() -> None:
    """The context only where the function takes it."""

    async def status(order_number: str, whose: CallContext) -> dict[str, str]:
        return {"order": order_number, "line": whose.line, "call": whose.tool_call_id}

    run = PythonCall(status, "whose")
    assert await python.run("status", run, CONTEXT, {"order_number": "A-17"}, Blocking()) == {
        "order": "A-17",
        "line": "support",
        "call": "fc_1",
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, '{"result":"done"}'),
        ("sent", '{"result":"sent"}'),
        ({"a": [1, True, None]}, '{"a":[1,true,null]}'),
        (7, "7"),
        (Model(day=date(2026, 5, 1)), '{"day":"2026-05-01"}'),
        ([Struct(3)], '[{"n":3}]'),
        (Data(Decimal("12.10")), '{"price":"12.10"}'),
        ({"room": Room.TERRACE}, '{"room":"terrace"}'),
        ((1, {2}), "[1,[2]]"),
    ],
)
async def test_a_result_is_json(value: Any, written: str) -> None:
    """Models, structs, dates and enums included."""
    assert write_json(await returned(value)) == written


@pytest.mark.parametrize("value", [object(), {"f": print}, asyncio.Lock()])
async def test_what_is_no_json_is_a_failure(value: Any) -> None:
    """The model learns that the function failed, the log which type it was that could not be told."""
    with pytest.raises(FunctionFailed, match="the function failed"):
        await returned(value)


class Rows(BaseModel):
    """A model around many values."""

    rows: list[Any]


@dataclass
class Page:
    """The same as a dataclass."""

    rows: Any


class Sheet(msgspec.Struct):
    """The same as a struct."""

    rows: Any


@pytest.mark.parametrize(
    "wrap", [list, tuple, set, lambda many: {"a": [many]}, lambda many: Rows(rows=many), Page, Sheet]
)
async def test_what_is_far_too_long_is_not_written_at_all(monkeypatch: pytest.MonkeyPatch, wrap: Any) -> None:
    """Writing it would stop every call for seconds, from a thread too."""
    written: list[Any] = []
    monkeypatch.setattr(python, "to_jsonable_python", lambda value, **_: written.append(value))
    with pytest.raises(FunctionFailed, match="the answer is too long") as caught:
        await returned(wrap(list(range(OUTPUT_LIMIT + 1))))
    assert caught.value.detail == f"the answer has more than {OUTPUT_LIMIT} bytes"
    with pytest.raises(FunctionFailed, match="the answer is too long"):
        await returned("x" * (OUTPUT_LIMIT + 1))
    with pytest.raises(FunctionFailed, match="the answer is too long"):
        await returned([{"a": "x" * 100}] * (OUTPUT_LIMIT // 100 + 1))
    assert written == []


async def test_a_message_for_the_model() -> None:
    """ToolError is how the operator's code says what is wrong."""
    failed = await raised(ToolError("we are fully booked on that day"))
    assert (failed.message, failed.outcome, failed.trace) == ("we are fully booked on that day", "error", "")
    assert len((await raised(ToolError("x" * 9999))).message) == 500
    assert (await raised(ToolError())).message == "the function failed"


@pytest.mark.parametrize("kind", [ValueError, TimeoutError, SystemExit, asyncio.CancelledError])
async def test_whatever_it_raises_is_its_own_failure(kind: type[BaseException]) -> None:
    """Even where it exits, times out by itself, or cancels something of its own: the call goes on."""
    failed = await raised(kind("4111111111111111"))
    assert (failed.message, failed.outcome) == ("the function failed", "error")
    assert kind.__name__ in failed.detail


async def test_a_traceback_holds_no_values() -> None:
    """It says where and which kind, of causes too; a message may hold what the caller keyed, and is left out."""

    async def pay(card: str) -> None:
        try:
            int(card + "x")
        except ValueError as error:
            raise LookupError(f"no account for {card}") from error

    with pytest.raises(FunctionFailed) as caught:
        await python.run("pay", PythonCall(pay), CONTEXT, {"card": "4111111111111111"}, Blocking())
    trace = caught.value.trace
    assert "test_python.py" in trace
    assert 'int(card + "x")' in trace
    assert "LookupError" in trace
    assert "ValueError" in trace
    assert "4111111111111111" not in f"{trace}{caught.value.message}{caught.value.detail}"


async def test_a_wrong_call_is_a_failure() -> None:
    """Arguments that the function does not have, and a function that is no coroutine function."""

    async def nothing() -> None: ...

    for function in (nothing, lambda order: order):
        with pytest.raises(FunctionFailed, match="the function failed"):
            await python.run("f", PythonCall(function), CONTEXT, {"order": "A-17"}, Blocking())


async def test_a_coroutine_from_a_thread_is_a_failure() -> None:
    """The log's traceback says what to write instead."""

    async def status() -> str:
        return "sent"

    with pytest.raises(FunctionFailed, match="the function failed") as caught:
        await python.run_in_thread("f", PythonCall(status, in_thread=True), CONTEXT, {}, Threads())
    assert "the function returned a coroutine, expected async def" in caught.value.trace


async def test_a_function_that_blocks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It delays the audio of every call, so the log says which one it was; by a clock that the test sets."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    async def works(seconds: float) -> None:
        now[0] += seconds

    blocking = Blocking()
    with capture_logs() as logs:
        for _ in range(2):
            await python.run("quick", PythonCall(works), CONTEXT, {"seconds": 0.04}, blocking)
            await python.run("slow", PythonCall(works), CONTEXT, {"seconds": 0.2}, blocking)
    assert [(line["tool"], line["blocked_ms"]) for line in logs] == [("slow", 200)]
    assert logs[0]["file"] == __file__
