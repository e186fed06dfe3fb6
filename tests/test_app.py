"""The wiring: what is served, what a line means to a call, and how it all ends."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.app import rules_for, serving
from gateway.call.rules import Silence
from gateway.config import Lines, load_deployment
from gateway.voice.commands import CreateResponse, SayText
from gateway.voice.session import CallFacts
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import configuration, instant, load, rig

FACTS = CallFacts("CA1", "+14155550123", "+14255550100", datetime(2026, 5, 4, 9, 30, tzinfo=UTC))


async def test_the_end_of_serving_is_the_end_of_its_calls(tmp_path: Path) -> None:
    """Streams and sessions are closed in order, and a stream that has yet to start does not hold it up."""
    async with AsyncExitStack() as phones:
        async with rig(configuration(tmp_path), instant()) as held:
            talking = await phones.enter_async_context(bare_phone(held.stream_url, "CA1"))
            waiting = await phones.enter_async_context(bare_phone(held.stream_url, "CA2"))
            await talking.start()
            await talking.next("media")
            group = await phones.enter_async_context(asyncio.TaskGroup())
            closing = [group.create_task(phone.closed()) for phone in (talking, waiting)]
            async with asyncio.timeout(2):
                await held.gateway.calls.drain(0, 10)
            assert await held.metric("gateway_call_ends_total", by="gateway", reason="shut_down") == 1
            assert await held.metric("gateway_calls_refused_total", reason="shut_down") == 1
        assert [await task for task in closing] == [1000, 1001]
        assert held.emulator.sessions[0].close_code == 1000
    (end,) = held.fields("CA1", "call_ended")
    assert (end["reason"], end["by"]) == ("shut_down", "gateway")


async def test_a_drain_lets_calls_finish(tmp_path: Path) -> None:
    """With a grace, calls in progress end by themselves; new ones are turned away meanwhile."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        await phone.next("media")
        async with asyncio.TaskGroup() as group:
            group.create_task(held.gateway.calls.drain(20, 0))
            await asyncio.sleep(0)
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                async with bare_phone(held.stream_url):
                    pass
            await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


async def test_only_what_is_named_is_served(tmp_path: Path) -> None:
    """A provider that ``gateway.yaml`` leaves out has no stream and no webhook."""
    async with rig(configuration(tmp_path, gateway="lines: lines/*.yaml\n"), instant()) as held:
        async with aiohttp.ClientSession() as http:
            for path in ("/answer/twilio", "/status/twilio"):
                async with http.post(held.gateway.url + path) as said:
                    assert said.status == 404
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            async with bare_phone(held.stream_url):
                pass


async def test_it_says_where_it_serves(tmp_path: Path) -> None:
    """The log has the address with the port that was really got, and the lines."""
    with capture_logs() as logs:
        async with rig(configuration(tmp_path), instant()) as held:
            url = held.gateway.url
    (serving_note,) = [entry for entry in logs if entry["event"] == "serving"]
    assert url == f"http://{serving_note['host']}:{serving_note['port']}"
    assert serving_note["lines"] == ["support"]


async def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """It is the operating system's error, and nothing is left open."""
    deployment, lines = load(configuration(tmp_path))
    where: dict[str, Any] = {"endpoint": "http://127.0.0.1:1", "api_key": "any", "host": "127.0.0.1"}
    async with serving(deployment, lines, port=0, **where) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match=str(port)):
            async with serving(deployment, lines, port=port, **where):
                pass


async def test_what_fails_inside_is_raised_as_it_is(tmp_path: Path) -> None:
    """An exception of the block is not wrapped in a group: the commands tell it as one line."""
    deployment, lines = load(configuration(tmp_path))
    with pytest.raises(ZeroDivisionError):
        async with serving(deployment, lines, endpoint="http://127.0.0.1:1", api_key="any", host="127.0.0.1", port=0):
            raise ZeroDivisionError


def lines_of(folder: Path, text: str) -> Lines:
    """One line with this text behind its numbers and instructions."""
    base = 'numbers: ["+14255550100"]\ninstructions: Answer.\n'
    return Lines(load_deployment(configuration(folder, {"support": base + text}), {}))


def test_a_greeting_is_said_or_asked_for(tmp_path: Path) -> None:
    """Word for word where Azure speaks, by the model where the voice is its own, none where there is none."""
    for number, (text, greeting) in enumerate(
        [
            ("greeting: Hello {caller}.\nmodel: gpt-4.1\n", SayText("Hello +14155550123.")),
            ("model: gpt-4.1\n", None),
        ]
    ):
        (line,) = lines_of(tmp_path / str(number), text)
        assert rules_for(line, FACTS).greeting == greeting
    (line,) = lines_of(tmp_path / "prompted", "greeting: {prompt: Be short.}\n")
    asked = rules_for(line, FACTS).greeting
    assert isinstance(asked, CreateResponse)
    assert asked.instructions.endswith("Greet the caller: Be short.")


def test_what_the_conversation_knows_of_a_line(tmp_path: Path) -> None:
    """Barge-in, the key of manual turns, silence and the time limit come from the line's file."""
    text = "model: gpt-4.1\nbarge_in: false\nsilence: {after_s: 7, say: Hello?, times: 3}\nlimits: {duration_s: 90}\n"
    (line,) = lines_of(tmp_path, text)
    rules = rules_for(line, FACTS)
    assert (rules.barge_in, rules.duration_limit_s) == (False, 90)
    assert rules.silence == Silence(7, SayText("Hello?"), 3)
    (line,) = lines_of(tmp_path / "manual", "model: gpt-4.1\nturn_detection: none\ncommit_on: '#'\n")
    assert rules_for(line, FACTS).commit_on == "#"
    (line,) = lines_of(tmp_path / "plain", "")
    rules = rules_for(line, FACTS)
    assert (rules.barge_in, rules.commit_on, rules.silence, rules.greeting) == (True, "", None, None)
