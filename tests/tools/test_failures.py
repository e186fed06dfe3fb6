"""Every failure of a function, word for word: what the model is told, and what the log says."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import BaseModel
from structlog.testing import capture_logs

from gateway.function import Function, PythonCall, SecretDigits, ToolError
from gateway.tools import FunctionCall, Functions, client
from tests.documents import ROOT
from tests.tools.service import CONTEXT, function, service

ORDER = '{"order_number":"A-17"}'
DOCUMENTED = frozenset(re.findall(r'`\{"error":"([^"…]+)"\}`', (ROOT / "docs" / "tools.md").read_text("utf-8")))
JSON = "application/json"
DEEP = {"properties": {"x": {"$ref": "#/$defs/list"}}, "$defs": {"list": {"items": {"$ref": "#/$defs/list"}}}}


@pytest_asyncio.fixture
async def tools(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Functions]:
    """The process's, whose second try to connect follows at once."""
    monkeypatch.setattr(client, "AGAIN_AFTER_S", 0.0)
    async with Functions() as running:
        yield running


async def failing(tools: Functions, what: Function, arguments: str = ORDER) -> tuple[str, str, str]:
    """Return what the model is told, the outcome, and what the log says."""
    with capture_logs() as logs:
        result = await tools.call(FunctionCall(what, CONTEXT, arguments, {}))
    (line,) = logs
    assert (line["event"], line["log_level"], line["outcome"]) == ("function_failed", "warning", result.outcome)
    told = json.loads(result.output)
    assert list(told) == ["error"]
    return told["error"], result.outcome, line["detail"]


def own(run: Callable[..., Any], **how: Any) -> Function:
    return Function("own", "Does something.", {}, PythonCall(run, **how), timeout_s=0.05)


@pytest.mark.parametrize(
    ("answer", "told", "detail"),
    [
        (
            web.Response(status=307, headers={"Location": "/"}),
            "the service answered with a redirect, which is not followed",
            "the answer's status is 307",
        ),
        (web.Response(status=500), "the service failed", "the answer's status is 500"),
        (web.Response(status=404), "the service refused the request", "the answer's status is 404"),
        (web.json_response({"error": "no such order"}, status=400), "no such order", "the answer's status is 400"),
        (web.Response(body=b"x" * 65537), "the answer is too long", "the answer has more than 65536 bytes"),
        (
            web.Response(body=b"{", content_type=JSON),
            "the answer is not valid JSON",
            "application/json that does not parse",
        ),
        (web.Response(body=b"\xff", content_type="text/plain"), "the answer is not text", "the body is not utf-8"),
        (
            web.Response(body=b"\xe4", content_type="text/plain", charset="us-ascii"),
            "the answer is not text",
            "the body is not us-ascii",
        ),
        (
            web.Response(body=b"\0", content_type="image/png"),
            "the answer is not text",
            "image/png with control characters",
        ),
    ],
)
async def test_an_answer_that_is_none(tools: Functions, answer: web.Response, told: str, detail: str) -> None:
    """The model learns what docs/tools.md says, or a refusal's own words; the log has what the operator needs."""
    assert told in DOCUMENTED or 400 <= answer.status < 500
    async with service(answer) as shop:
        assert await failing(tools, function(shop.url)) == (told, "error", detail)


async def test_a_service_that_is_not_reached(tools: Functions, unused_tcp_port: int) -> None:
    """Where it was tried and what the system said is for the log alone."""
    told, outcome, detail = await failing(tools, function(f"http://127.0.0.1:{unused_tcp_port}/"))
    assert (told, outcome) == ("the service cannot be reached", "error")
    assert told in DOCUMENTED
    assert detail.startswith("no connection: Connect call failed")


async def test_a_service_that_breaks_off(tools: Functions) -> None:
    """Without an answer, only the kind of the failure is known."""

    async def breaks_off(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with service(breaks_off) as shop:
        failed = await failing(tools, function(shop.url))
    assert failed == ("the service failed", "error", "no whole answer: ServerDisconnectedError")


async def test_a_service_that_is_late(tools: Functions) -> None:
    """The time is the tool's own."""
    async with service() as shop:
        failed = await failing(tools, function(shop.url, timeout_s=0.05))
    assert failed == ("no answer within 0.05 seconds", "timeout", "not done within 0.05 s")


class Booking(BaseModel):
    """Arguments of a function in Python."""

    day: str
    guests: list[int] = []


NO_SCHEMA = "the arguments do not match the schema"


@pytest.mark.parametrize(
    ("arguments", "told", "detail"),
    [
        (
            '{"note":"' + "x" * 32_759 + '"}',
            "the arguments are too long",
            "the arguments have more than 32768 characters",
        ),
        ("{", "the arguments are not valid JSON", "the arguments are not JSON"),
        ("[1]", "the arguments are not a JSON object", "the arguments are not an object"),
        ("{}", "the arguments do not fit: 'order_number' is a required property", NO_SCHEMA),
        ('{"order_number":7}', "the arguments do not fit: order_number: 7 is not of type 'string'", NO_SCHEMA),
        (
            '{"order_number":"a/../b"}',
            "the arguments do not fit: order_number: it cannot be part of an address",
            "an argument cannot stand in the url",
        ),
        (
            '{"order_number":""}',
            "the arguments do not fit: order_number: it is empty",
            "an argument cannot stand in the url",
        ),
    ],
)
async def test_arguments_that_do_not_fit(tools: Functions, arguments: str, told: str, detail: str) -> None:
    """The model is told how to do better; the log has no argument."""
    wanted = function("http://127.0.0.1:1/{order_number}")
    assert await failing(tools, wanted, arguments) == (told, "refused", detail)


async def test_arguments_of_python_that_do_not_fit(tools: Functions) -> None:
    """Each mistake with its place, three at most."""
    wanted = Function("book", "Books.", {}, PythonCall(print, arguments=Booking))
    told, outcome, detail = await failing(tools, wanted, '{"day":7,"guests":["a","b","c"]}')
    assert (outcome, detail) == ("refused", NO_SCHEMA)
    assert told == (
        "the arguments do not fit: day: Input should be a valid string; "
        "guests.0: Input should be a valid integer, unable to parse string as an integer; "
        "guests.1: Input should be a valid integer, unable to parse string as an integer"
    )


async def test_a_schema_s_mistakes_are_told_three_at_once(tools: Functions) -> None:
    """The place of each goes down to the value, and the fourth waits."""
    schema = {"properties": {"rows": {"items": {"type": "integer"}}}}
    wanted = replace(function("http://127.0.0.1:1/"), parameters=schema)
    told, _, _ = await failing(tools, wanted, '{"rows":["a","b","c","d"]}')
    assert told == "the arguments do not fit: " + "; ".join(
        f"rows.{index}: '{name}' is not of type 'integer'" for index, name in enumerate("abc")
    )


async def test_arguments_that_go_too_deep(tools: Functions) -> None:
    """A schema that follows them down does not end the call."""
    wanted = replace(function("http://127.0.0.1:1/"), parameters=DEEP)
    told = "the arguments are nested too deep"
    assert await failing(tools, wanted, '{"x":' + "[" * 900 + "]" * 900 + "}") == (told, "refused", told)


async def test_a_secret_that_is_missing(tools: Functions) -> None:
    """Each is named, so that the model can ask for them."""
    both = (SecretDigits("card"), SecretDigits("code"))
    wanted = replace(function("http://127.0.0.1:1/"), secrets=both)
    assert await failing(tools, wanted) == (
        "the caller has not keyed in: card, code",
        "refused",
        "a secret is missing",
    )


async def test_a_secret_of_the_line_that_is_none(tools: Functions) -> None:
    """The operator's mistake is told to the operator, without the secret."""
    assert await failing(tools, function("http://127.0.0.1:1/", secret="whsec_%")) == (
        "the function failed",
        "error",
        "a secret that begins with whsec_ is not base64 after it",
    )


class BrokenError(Exception):
    """An exception of the operator's own."""


def raising(error: BaseException) -> Callable[[], Any]:
    async def function() -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "told", "detail"),
    [
        (ValueError("4111"), "the function failed", "the function raised ValueError"),
        (BrokenError("4111"), "the function failed", f"the function raised {__name__}.BrokenError"),
        (SystemExit(), "the function failed", "the function raised SystemExit"),
        (ToolError("closed\non Mondays"), "closed on Mondays", "the function raised ToolError"),
        (ToolError(), "the function failed", "the function raised ToolError"),
    ],
)
async def test_a_function_that_raises(tools: Functions, error: BaseException, told: str, detail: str) -> None:
    """Its message is for nobody, unless it is a ToolError's."""
    assert await failing(tools, own(raising(error)), "") == (told, "error", detail)


async def test_a_traceback_leads_from_the_failure_to_its_cause(tools: Functions) -> None:
    """As Python writes it, without the messages."""

    async def fails() -> None:
        try:
            raise BrokenError("4111")
        except BrokenError as error:
            raise ValueError("4111") from error

    with capture_logs() as logs:
        await tools.call(FunctionCall(own(fails), CONTEXT, "", {}))
    first, second = logs[0]["exception"].split("\n\nwhich came of:\n\n")
    assert all(line.startswith("  ") for one in (first, second) for line in one.splitlines()[1:-1])
    begun = re.escape('Traceback (most recent call last):\n  File "')
    assert re.fullmatch(rf"{begun}[^\0]+\n    raise ValueError[^\0]+\nValueError", first)
    assert re.fullmatch(rf"{begun}[^\0]+\n    raise BrokenError[^\0]+\n{re.escape(__name__)}\.BrokenError", second)


async def test_a_bug_of_ours_is_told_as_one(tools: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call goes on, and the log has where it was, without the message."""

    def breaks(*_: object) -> None:
        raise KeyError("41" * 2)

    monkeypatch.setattr("gateway.tools.runner.value_of", breaks)
    async with service(web.Response()) as shop:
        with capture_logs() as logs:
            result = await tools.call(FunctionCall(function(shop.url), CONTEXT, ORDER, {}))
    assert (json.loads(result.output), result.outcome) == ({"error": "the function failed"}, "error")
    assert logs[0]["detail"] == "it cannot be carried out"
    assert "in breaks" in logs[0]["exception"]
    assert "4111" not in str(logs)


async def test_no_thread_is_left(tools: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives none, the place is free again for the next one."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    tools._threads._places = asyncio.Semaphore(1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        failed = await failing(tools, own(lambda: None, in_thread=True))
    assert failed == ("the function failed", "error", "no thread could be started")
    result = await tools.call(FunctionCall(replace(own(lambda: 1, in_thread=True), timeout_s=10.0), CONTEXT, "", {}))
    assert result.output == "1"


async def test_too_many_functions(tools: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all kinds, and of those that nobody waits for any more."""
    told = "too many functions run at the moment"
    monkeypatch.setattr(tools, "_running", 256)
    assert await failing(tools, own(print)) == (told, "refused", "256 functions run already")
    monkeypatch.setattr(tools, "_running", 255)
    tools._threads.left_running = 32
    detail = "32 functions that nobody waits for any more have not returned"
    assert await failing(tools, own(print, in_thread=True)) == (told, "refused", detail)
