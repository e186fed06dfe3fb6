"""Functions carried out: what the model gets, the log holds, and a call leaves behind."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import BaseModel
from structlog.testing import capture_logs

from gateway.function import CallContext, Function, HttpCall, PythonCall, SecretDigits, ToolError
from gateway.tools import FunctionCall, FunctionResult, Functions
from gateway.tools import runner as functions
from gateway.tools.masking import masked
from gateway.tools.result import OUTPUT_LIMIT
from tests.tools.service import CONTEXT, SCHEMA, function, service

ORDER = '{"order_number": "A-17"}'
CARD = "4111111111111111"
PAYMENT = Function("pay", "Takes a payment.", {}, HttpCall("POST", ""), secrets=(SecretDigits("card"),))


@pytest_asyncio.fixture
async def tools() -> AsyncIterator[Functions]:
    """The process's."""
    async with Functions() as running:
        yield running


def asked(what: Function, arguments: str = ORDER, secrets: Mapping[str, str] | None = None) -> FunctionCall:
    return FunctionCall(what, CONTEXT, arguments, secrets or {})


def in_python(run: Any, **fields: Any) -> Function:
    return Function("own", "Does something.", {}, PythonCall(run), **fields)


def in_a_thread(run: Any, **fields: Any) -> Function:
    return Function("own", "Does something.", {}, PythonCall(run, in_thread=True), **fields)


async def test_a_function_over_http(tools: Functions) -> None:
    """The service gets call, arguments and proof; the model its answer, compact."""
    async with service(web.json_response({"status": "sent", "on": ["friday"]})) as shop:
        result = await tools.call(asked(function(f"{shop.url}/orders", secret="hush"), ' {"order_number" :\n"A-17"}'))
    assert result == FunctionResult('{"status":"sent","on":["friday"]}', "ok")
    body = json.loads(shop.bodies[0])
    assert (body["tool"], body["arguments"]) == ("order_status", {"order_number": "A-17"})
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= shop.seen[0].headers.keys()
    assert shop.seen[0].headers["Idempotency-Key"] == "call-1:fc_1"
    assert shop.seen[0].content_type == "application/json"


async def test_a_function_in_python(tools: Functions) -> None:
    """It gets what its types say."""

    class Arguments(BaseModel):
        day: date
        guests: int = 2

    async def book(day: date, guests: int) -> str:
        return f"{day:%A}, {guests}"

    booking = Function("book", "Books.", {}, PythonCall(book, arguments=Arguments))
    assert await tools.call(asked(booking, '{"day":"2026-05-01"}')) == FunctionResult('{"result":"Friday, 2"}', "ok")
    refused = await tools.call(asked(booking, '{"day":"soon"}'))
    assert refused.outcome == "refused"
    assert "day: Input should be a valid date" in json.loads(refused.output)["error"]


@pytest.mark.parametrize("arguments", ["{", "[]", "{}", '{"order_number":17}'])
async def test_wrong_arguments_are_refused(tools: Functions, arguments: str) -> None:
    """The model learns why, and the service is not asked."""
    async with service(web.Response(text="ok")) as shop:
        result = await tools.call(asked(function(shop.url), arguments))
    assert result.outcome == "refused"
    assert "arguments" in json.loads(result.output)["error"]
    assert shop.seen == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (web.Response(status=500, text="db-3.internal is down"), "the service failed"),
        (web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"}), "redirect"),
        (web.Response(body=b"x" * 10_000_000), "the answer is too long"),
        (web.Response(body=b'{"status":', content_type="application/json"), "not valid JSON"),
        (web.Response(body=b"\xff", content_type="text/plain", charset="utf-8"), "not text"),
        (web.json_response({"error": "no such order"}, status=404), "no such order"),
    ],
)
async def test_a_service_that_misbehaves(tools: Functions, answer: web.Response, says: str) -> None:
    """The model gets an error that it can explain, and nothing of how the service is built or reached."""
    async with service(answer) as shop:
        result = await tools.call(asked(function(f"{shop.url}/orders")))
    told = json.loads(result.output)
    assert result.outcome == "error"
    assert list(told) == ["error"]
    assert says in told["error"]
    assert not any(word in result.output for word in ("127.0.0.1", "http", "internal", "key-of-the-shop"))


@pytest.mark.parametrize("is_http", [True, False])
async def test_a_function_that_hangs(tools: Functions, is_http: bool) -> None:
    """Its time covers everything; then the model is told, and nothing of it is left."""
    over: list[bool] = []

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            over.append(True)

    async with service() as shop:
        hanging = function(shop.url, timeout_s=0.05) if is_http else in_python(hangs, timeout_s=0.05)
        result = await tools.call(asked(hanging, ORDER if is_http else ""))
    assert result == FunctionResult('{"error":"no answer within 0.05 seconds"}', "timeout")
    assert over == ([] if is_http else [True])


@pytest.mark.parametrize("is_http", [True, False])
async def test_a_caller_who_hangs_up(tools: Functions, is_http: bool) -> None:
    """The function is cancelled, its request dropped; the next one finds everything free."""
    started = asyncio.Event()

    async def hangs() -> None:
        started.set()
        await asyncio.Event().wait()

    async with service() as shop:
        running = function(shop.url) if is_http else in_python(hangs)
        async with asyncio.TaskGroup() as group:
            calling = group.create_task(tools.call(asked(running, ORDER if is_http else "")))
            await (shop.came if is_http else started).wait()
            calling.cancel()
        assert calling.cancelled()
    assert tools._running == 0


async def test_a_function_that_blocks_runs_beside_the_loop(tools: Functions) -> None:
    """Its time-out is answered while its thread still runs; others go on meanwhile."""
    free = threading.Event()

    def blocks() -> str:
        free.wait(30)
        return "late"

    with capture_logs() as logs:
        slow, quick = await asyncio.gather(
            tools.call(asked(in_a_thread(blocks, timeout_s=0.1), "{}")),
            tools.call(asked(in_a_thread(lambda: "fine"), "{}")),
        )
    free.set()
    assert (slow.outcome, slow.output) == ("timeout", '{"error":"no answer within 0.1 seconds"}')
    assert (quick.outcome, quick.output) == ("ok", '{"result":"fine"}')
    left = [(line["tool"], line["running"]) for line in logs if line["event"] == "function_left_running"]
    assert left == [("own", 1)]


async def test_a_function_in_a_thread_gets_what_any_other_gets(tools: Functions) -> None:
    """Its arguments by name, what was keyed among them, and the call it belongs to."""

    def status(order_number: str, card: str, whose: CallContext) -> list[str]:
        return [order_number, str(card == CARD), whose.line, whose.tool_call_id]

    run = PythonCall(status, "whose", in_thread=True)
    function = Function("status", "Looks.", SCHEMA, run, secrets=(SecretDigits("card"),))
    result = await tools.call(asked(function, ORDER, {"card": CARD}))
    assert result == FunctionResult('["A-17","True","support","fc_1"]', "ok")


async def test_a_function_in_a_thread_that_fails_is_told_as_any_other(tools: Functions) -> None:
    """What it raises is for the log, ToolError for the model; a coroutine is no answer."""

    async def forgotten() -> None: ...

    def raises() -> None:
        raise ToolError("closed on Mondays")

    assert (await tools.call(asked(in_a_thread(raises), "{}"))).output == '{"error":"closed on Mondays"}'
    for wrong in (lambda: 1 / 0, forgotten):
        assert (await tools.call(asked(in_a_thread(wrong), "{}"))).output == '{"error":"the function failed"}'


async def test_several_run_at_once(tools: Functions) -> None:
    """Each waits for the other, so that neither would end alone."""
    arrived = [asyncio.Event(), asyncio.Event()]

    def meets(mine: int) -> Any:
        async def meet() -> int:
            arrived[mine].set()
            await arrived[1 - mine].wait()
            return mine

        return meet

    async with asyncio.TaskGroup() as group:
        both = [group.create_task(tools.call(asked(in_python(meets(n)), ""))) for n in (0, 1)]
    assert [task.result().output for task in both] == ["0", "1"]


async def test_too_many_at_once_are_refused(tools: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is the process's; when they are done, there is room again for as many."""
    monkeypatch.setattr(functions, "AT_ONCE", 2)
    for _ in range(2):
        started, over = asyncio.Semaphore(0), asyncio.Event()

        async def waits(started: asyncio.Semaphore = started, over: asyncio.Event = over) -> None:
            started.release()
            await over.wait()

        async with asyncio.TaskGroup() as group:
            both = [group.create_task(tools.call(asked(in_python(waits), ""))) for _ in range(2)]
            for _ in both:
                await started.acquire()
            third = await tools.call(asked(in_python(waits), ""))
            over.set()
        assert (third.outcome, "too many" in third.output) == ("refused", True)
        assert [task.result().outcome for task in both] == ["ok", "ok"]


async def test_what_is_keyed_goes_to_the_service_alone(tools: Functions) -> None:
    """It takes the place of whatever the model made up, and what the service repeats of it is masked."""

    async def echo(request: web.Request) -> web.Response:
        card = json.loads(await request.read())["arguments"]["card"]
        return web.json_response({"paid_with": card, "number": int(card), "text": f"card {card[:4]} {card[4:]}"})

    async with service(echo) as shop:
        paying = replace(PAYMENT, run=HttpCall("POST", shop.url))
        result = await tools.call(asked(paying, '{"card":"1234"}', {"card": CARD}))
    assert json.loads(shop.bodies[0])["arguments"] == {"card": CARD}
    assert json.loads(result.output) == {"paid_with": "entered", "number": "entered", "text": "card entered"}


async def test_without_its_secret_a_function_is_not_carried_out(tools: Functions) -> None:
    """The model cannot give it instead."""
    result = await tools.call(asked(PAYMENT, f'{{"card":"{CARD}"}}'))
    assert result == FunctionResult('{"error":"the caller has not keyed in: card"}', "refused")


async def test_a_refusal_repeats_no_secret(tools: Functions) -> None:
    """Neither the service's words about it nor a function's."""
    async with service(web.json_response({"error": f"card {CARD} is not valid"}, status=422)) as shop:
        paying = replace(PAYMENT, run=HttpCall("POST", shop.url))
        assert "card entered is not valid" in (await tools.call(asked(paying, "", {"card": CARD}))).output


async def raising(card: str = "", order_number: str = "") -> None:
    """Fails with what it was given in its message."""
    raise LookupError(card or order_number)


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=500, text=f"{CARD} A-17 +14155550123"),
        web.Response(status=422, text=f"{CARD} A-17 +14155550123"),
        web.Response(body=f'{{"{CARD}'.encode(), content_type="application/json"),
        None,
    ],
)
async def test_the_log_has_one_line_without_what_the_caller_said(
    tools: Functions, answer: web.Response | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Which tool of which call, what happened; no arguments, secrets or numbers. The libraries log nothing."""
    caplog.set_level(logging.INFO, "aiohttp.client")
    caplog.set_level(logging.INFO, "gateway")
    async with service(answer or web.Response()) as shop:
        run = HttpCall("POST", f"{shop.url}/{{order_number}}") if answer else PythonCall(raising)
        paying = Function("pay", "Pays.", SCHEMA, run, secrets=(SecretDigits("card"),))
        with capture_logs() as logs:
            await tools.call(asked(paying, ORDER, {"card": CARD}))
    (line,) = logs
    assert (line["event"], line["tool"], line["call_id"]) == ("function_failed", "pay", "fc_1")
    assert line["outcome"] == "error"
    assert line["detail"]
    assert ("exception" in line) == (answer is None)
    assert not any(private in str(line) for private in (CARD, "A-17", "+14155550123"))


async def test_a_success_is_not_logged(tools: Functions) -> None:
    """The call's notes tell of it."""
    async with service(web.Response(text="ok")) as shop:
        with capture_logs() as logs:
            await tools.call(asked(function(shop.url)))
    assert logs == []


async def test_a_mistake_of_the_operator_s_ends_no_call(tools: Functions, unused_tcp_port: int) -> None:
    """A secret that is none, a schema that leads nowhere, an address that is none: told in the log."""
    url = f"http://127.0.0.1:{unused_tcp_port}"
    nowhere = replace(function(url), parameters={"$ref": "#/$defs/lost"})
    no_address = function("http://127.0.0.1:99999/")
    for mistaken in (function(url, secret="whsec_%"), nowhere, no_address):
        with capture_logs() as logs:
            result = await tools.call(asked(mistaken))
        assert result.outcome == "error"
        assert len(logs) == 1


async def test_a_result_that_is_too_long(tools: Functions) -> None:
    """A function in Python is bounded as a service is."""

    async def talks() -> str:
        return "x" * OUTPUT_LIMIT

    assert "too long" in (await tools.call(asked(in_python(talks), ""))).output


async def test_a_schema_is_compiled_once(tools: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each function, as long as few enough are known."""
    monkeypatch.setattr(functions, "VALIDATORS", 2)
    made = [function("http://127.0.0.1:1/") for _ in range(3)]
    first = tools._validator(made[0])
    assert tools._validator(made[0]) is first
    for each in made:
        tools._validator(each)
    assert len(tools._validators) == 2
    assert tools._validator(made[0]) is not first


async def test_outside_its_context_it_is_a_bug() -> None:
    """Nothing is carried out without a client."""
    with pytest.raises(RuntimeError, match=r"^Functions is used outside its context$"):
        await Functions().call(asked(function("http://127.0.0.1:1/")))


def test_a_call_shows_nothing_of_what_was_said() -> None:
    """In a traceback or a log, whoever writes it."""
    shown = repr(asked(function("https://shop.example.com/", secret="hush"), ORDER, {"card": CARD}))
    assert not any(private in shown for private in (CARD, "A-17", "+14155550123", "hush", "key-of-the-shop"))


async def test_a_long_answer_is_masked_beside_the_calls(tools: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking through all of it takes longer than a frame; a short one, or a call without secrets, takes no thread."""
    threads = []

    def noted(output: str, secrets: Iterable[str]) -> str:
        threads.append(threading.current_thread() is threading.main_thread())
        return masked(output, secrets)

    monkeypatch.setattr(functions, "masked", noted)
    for length, secrets in ((60_000, {"card": CARD}), (60_000, {}), (100, {"card": CARD})):
        async with service(web.json_response({"card": CARD, "rest": "x" * length})) as shop:
            paying = Function("pay", "Pays.", {}, HttpCall("POST", shop.url))
            result = await tools.call(asked(paying, "{}", secrets))
        assert (CARD in result.output) == (not secrets)
    assert threads == [False, True, True]


async def test_the_length_from_which_an_answer_takes_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly that of the constant."""
    on_the_loop = []

    def noted(output: str, secrets: Iterable[str]) -> str:
        on_the_loop.append(threading.current_thread() is threading.main_thread())
        return output

    monkeypatch.setattr(functions, "masked", noted)
    for length in (functions.MASKED_AT_ONCE - 1, functions.MASKED_AT_ONCE):
        await functions._masked("x" * length, [CARD])
    assert on_the_loop == [True, False]
