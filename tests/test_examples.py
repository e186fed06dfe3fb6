"""The examples do what they say: the back end, and the scripts that the shipped lines are played with."""

import importlib.util
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from aiohttp import ClientSession, web

from gateway.config import Line, Lines, load_deployment
from gateway.function import CallContext, Function, HttpCall
from gateway.sim.emulator import load_script
from gateway.sim.emulator.script import Answer, Call
from gateway.sim.prompts import FOLDER, bot_prompts, prompts
from gateway.tools import FunctionCall, Functions
from tests.documents import ROOT

EXAMPLES = ROOT / "examples"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CARD = "4111111111111111"
NAMES = ("support", "restaurant")


def example(name: str) -> ModuleType:
    """An example as a module; it is no package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def back_end(secret: str = "") -> AsyncIterator[str]:
    """``examples/booking_server.py`` on a free port."""
    runner = web.AppRunner(example("booking_server").application(secret), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def called(
    url: str, name: str, arguments: Mapping[str, Any], secrets: Mapping[str, str], secret: str = "", call: str = "1"
) -> tuple[str, Any]:
    """Outcome and output of a tool of the shipped lines, against ``url``."""
    (function,) = (each for line in NAMES for each in line_named(line).functions if each.name == name)
    moved = at(function, url, secret)
    context = CallContext("call-1", "support", "+14155550123", "+14255550100", call)
    async with Functions() as functions:
        result = await functions.call(FunctionCall(moved, context, json.dumps(arguments), secrets))
    return result.outcome, json.loads(result.output)


def at(function: Function, url: str, secret: str) -> Function:
    """The function where ``url`` is the back end."""
    assert isinstance(function.run, HttpCall)
    path = function.run.url.removeprefix("http://127.0.0.1:8081")
    return replace(function, run=replace(function.run, url=url + path, secret=secret))


def line_named(name: str) -> Line:
    line = Lines(load_deployment(ROOT / "config" / "gateway.yaml", {})).by_name(name)
    assert line
    return line


def calls_of(answer: Answer | None) -> list[Call]:
    return [] if answer is None else [*answer.all_calls, *calls_of(answer.next_answer)]


@pytest.mark.parametrize("name", NAMES)
async def test_a_script_calls_what_its_line_has(name: str) -> None:
    """Every function of it is carried out by the back end, every target is one of the line's."""
    line = line_named(name)
    calls = [call for turn in load_script(EXAMPLES / f"{name}.script.yaml").turns for call in calls_of(turn)]
    assert len(calls) >= 2
    async with back_end() as url:
        for call in calls:
            assert isinstance(call.arguments, dict)
            if call.name == "transfer_call":
                assert call.arguments["target"] in line.settings.transfers
                continue
            (function,) = (each for each in line.functions if each.name == call.name)
            secrets = {secret.parameter: CARD for secret in function.secrets}
            assert (await called(url, call.name, call.arguments, secrets))[0] == "ok"


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_recorded(name: str) -> None:
    """Both sides can be heard without a speech synthesiser, and the caller says what the script hears."""
    script = load_script(EXAMPLES / f"{name}.script.yaml")
    said = [words for turn in script.turns for words in (turn.say, turn.next_answer.say if turn.next_answer else None)]
    assert {script.greeting, *filter(None, said)} <= bot_prompts().keys()
    played = [word for word in example("play").CALLS[name] if word.endswith(".wav")]
    words = {prompt.path: prompt.text for prompt in prompts()}
    assert [words[FOLDER / "caller" / file] for file in played] == [turn.heard for turn in script.turns]


async def test_the_back_end_says_what_is_wrong() -> None:
    """An order that is none, a table that is taken, a card that cannot be: words for the caller."""
    table = {"day": "2026-05-29", "time": "19:00", "guests": 4, "name": "Ada"}
    async with back_end() as url:
        assert await called(url, "order_status", {"order_number": "99"}, {}, call="a") == (
            "error",
            {"error": "there is no order with that number"},
        )
        booked = [(await called(url, "book_table", table, {}, call=str(n)))[0] for n in range(6)]
        assert booked == ["ok"] * 5 + ["error"]
        payment = {"order_number": "17", "amount": 1}
        assert (await called(url, "take_payment", payment, {"card": "4111111111111112"}, call="b"))[0] == "error"


async def test_a_request_that_comes_twice_is_carried_out_once() -> None:
    """It is answered as before, by its key."""
    table = {"day": "2026-05-29", "time": "19:00", "guests": 4, "name": "Ada"}
    async with back_end() as url:
        answers = [await called(url, "book_table", table, {}) for _ in range(7)]
    assert answers == [answers[0]] * 7
    assert answers[0][0] == "ok"


async def test_with_a_secret_only_the_gateway_is_heard() -> None:
    """Nobody else, and nobody with another secret."""
    order = {"order_number": "17"}
    async with back_end(SECRET) as url, ClientSession() as http:
        assert (await called(url, "order_status", order, {}, SECRET))[0] == "ok"
        assert (await called(url, "order_status", order, {}, "another", "2"))[0] == "error"
        async with http.post(f"{url}/orders/status", json={"arguments": order}) as answer:
            assert answer.status == 401


async def test_nothing_that_was_keyed_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each request, without its arguments; of what is no request of ours too."""
    async with back_end() as url, ClientSession() as http:
        await called(url, "take_payment", {"order_number": "17", "amount": 42.5}, {"card": CARD})
        for body in (b"", b"{", b"[]", b'{"arguments":7}', b'{"arguments":{}}', b"[" * 100_000):
            async with http.post(f"{url}/payments", data=body) as answer:
                assert answer.status == 400
    assert capsys.readouterr().out.splitlines() == ["POST /payments 200", *["POST /payments 400"] * 6]
