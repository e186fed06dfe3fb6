"""What the bot does on a call, over real sockets: every kind of tool once, and what goes wrong with them."""

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Session
from gateway.sim.phone.phone import SimulatedPhone
from tests.e2e.rig import LINE, NUMBER, Rig, configuration, instant, noise, rig
from tests.e2e.tool_server import ToolServer, tool_server
from tests.virtual_time import virtual_time

ANSWER = "100 ms of an answer"
CALLER = "+14155550123"


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def line(**keys: Any) -> dict[str, str]:
    """A line with these keys besides the usual ones; JSON is YAML."""
    text = LINE.replace("Hello.", "100 ms")
    return {"support": text + "".join(f"{key}: {json.dumps(value)}\n" for key, value in keys.items())}


def function(server: ToolServer, path: str, **keys: Any) -> dict[str, Any]:
    """A function tool whose server answers as ``path`` says."""
    return {
        "name": path,
        "description": "Looks something up.",
        "parameters": {"number": "string"},
        "http": {"url": f"{server.url}/{path}", "timeout_s": 1},
        **keys,
    }


def call_of(name: str, **arguments: Any) -> dict[str, Any]:
    """A turn in which the model calls a tool, and speaks of it afterwards."""
    return {"call": {"name": name, "arguments": arguments}, "after_call": ANSWER}


def outputs(session: Session) -> list[Any]:
    """What the model was given as outputs of its calls."""
    items = [record.event["item"] for record in session.received if record.type == "conversation.item.create"]
    return [json.loads(item["output"]) for item in items if item["type"] == "function_call_output"]


def spoken(session: Session) -> list[str]:
    """What the bot has said whole."""
    return [r.event["transcript"] for r in session.sent if r.type == "response.audio_transcript.done"]


@asynccontextmanager
async def calling(held: Rig, call_id: str = "CA1") -> AsyncIterator[tuple[SimulatedPhone, Session]]:
    """A simulated phone on the line, past the greeting."""
    async with dial("twilio", held.stream_url, to=NUMBER, from_=CALLER, call_id=call_id) as phone:
        session = await held.emulator.session(len(held.emulator.sessions))
        await session.until(lambda one: len(spoken(one)) == 1)
        yield phone, session


async def turn(session: Session) -> None:
    """The caller says something."""
    await session.speech_started()
    await session.speech_stopped()


async def answered(session: Session, said: str = ANSWER) -> None:
    """Return once the bot has said this."""
    await session.until(lambda one: said in spoken(one))


@virtual_time
async def test_a_function_over_http(tmp_path: Path) -> None:
    """The server is asked with the model's arguments and the call's facts; the model speaks of its answer."""
    async with tool_server() as server:
        lines = line(tools=[function(server, "ok")])
        script = instant(call_of("ok", number="42"))
        async with rig(configuration(tmp_path, lines), script) as held:
            async with calling(held) as (_, session):
                await turn(session)
                await answered(session)
            held.emulator.check()
        assert outputs(session) == [{"state": "shipped"}]
        (asked,) = server.asked
        assert asked["arguments"] == {"number": "42"}
        assert asked["call"] == {"id": "CA1", "line": "support", "caller": CALLER, "called": NUMBER}
        assert server.headers[0]["idempotency-key"].startswith("CA1:")
        (note,) = held.fields("CA1", "tool_returned")
        assert (note["tool"], note["outcome"]) == ("ok", "ok")


@pytest.mark.parametrize(
    ("path", "outcome"),
    [("fails", "error"), ("hangs", "timeout"), ("much", "error"), ("nonsense", "error"), ("elsewhere", "error")],
)
@virtual_time
async def test_a_function_that_fails_is_told_and_the_call_goes_on(tmp_path: Path, path: str, outcome: str) -> None:
    """A 500, no answer in time, 10 MB, broken JSON, a redirect: the model is told, speaks, and hears the next turn."""
    async with tool_server() as server:
        lines = line(tools=[function(server, path)])
        script = instant(call_of(path, number="42"), {"say": "120 ms of more"})
        async with rig(configuration(tmp_path, lines), script) as held:
            async with calling(held) as (_, session):
                await turn(session)
                await answered(session)
                await turn(session)
                await answered(session, "120 ms of more")
            held.emulator.check()
        (output,) = outputs(session)
        assert output.keys() == {"error"}
        assert server.url not in json.dumps(output)
        assert [asked["arguments"] for asked in server.asked] == [{"number": "42"}]
        assert held.fields("CA1", "tool_returned")[0]["outcome"] == outcome


@virtual_time
async def test_parallel_functions_run_at_once_and_have_one_answer(tmp_path: Path) -> None:
    """Two calls in one response: both at work together, two outputs, one response."""
    async with tool_server() as server:
        tools = [function(server, "ok"), function(server, "hangs", http={"url": f"{server.url}/hangs", "timeout_s": 5})]
        calls = [{"name": "hangs", "arguments": {"number": "1"}}, {"name": "ok", "arguments": {"number": "2"}}]
        script = instant({"calls": calls, "after_call": ANSWER})
        async with rig(configuration(tmp_path, line(tools=tools, parallel_tool_calls=True)), script) as held:
            async with calling(held) as (_, session):
                await turn(session)
                await session.until(lambda one: len(outputs(one)) == 1)
                server.release.set()
                await answered(session)
            held.emulator.check()
        assert len(outputs(session)) == 2
        created = [record for record in session.received if record.type == "response.create"]
        assert len(created) == 2, "the greeting, and one answer for both"
        assert server.most_at_work == 2


@virtual_time
async def test_a_caller_hangs_up_while_a_function_runs(tmp_path: Path) -> None:
    """The request is dropped with the call; nothing of either is left."""
    async with tool_server() as server:
        tools = [function(server, "hangs", http={"url": f"{server.url}/hangs", "timeout_s": 30})]
        async with rig(configuration(tmp_path, line(tools=tools)), instant(call_of("hangs", number="1"))) as held:
            async with calling(held) as (_, session):
                await turn(session)
                await held.until(lambda: held.fields("CA1", "tool_called"))
            async with asyncio.timeout(2):
                assert (await held.end_of("CA1"))["reason"] == "caller_hung_up"
                await held.until_quiet()
        assert outputs(session) == []


@virtual_time
async def test_a_caller_speaks_while_a_function_runs(tmp_path: Path) -> None:
    """The caller is answered at once, and the result is told behind that answer."""
    async with tool_server() as server:
        tools = [function(server, "hangs", http={"url": f"{server.url}/hangs", "timeout_s": 30})]
        script = instant(call_of("hangs", number="1"), {"say": "140 ms meanwhile"})
        async with rig(configuration(tmp_path, line(tools=tools)), script) as held:
            async with calling(held) as (_, session):
                await turn(session)
                await held.until(lambda: held.fields("CA1", "tool_called"))
                await turn(session)
                await answered(session, "140 ms meanwhile")
                server.release.set()
                await session.until(lambda one: len(outputs(one)) == 1)
                await session.until(lambda one: len(spoken(one)) == 3)
            held.emulator.check()


@virtual_time
async def test_words_cover_a_slow_function(tmp_path: Path) -> None:
    """The line's words are said into the wait, and the result behind them."""
    async with tool_server() as server:
        slow = {"url": f"{server.url}/hangs", "timeout_s": 30}
        waiting = {"say": "160 ms please wait", "after_s": 0.2}
        tools = [function(server, "hangs", http=slow, while_waiting=waiting)]
        async with rig(configuration(tmp_path, line(tools=tools)), instant(call_of("hangs", number="1"))) as held:
            async with calling(held) as (_, session):
                await turn(session)
                await answered(session, "160 ms please wait")
                server.release.set()
                await answered(session)
            held.emulator.check()


PYTHON_TOOL = '''
    """Tools of a line."""

    from gateway.function import CallContext, ToolError


    async def status(number: int, context: CallContext) -> dict[str, object]:
        """Look up an order.

        Args:
            number: The number on the invoice.
        """
        if number < 0:
            raise ToolError("there is no such order")
        return {"number": number + 1, "caller": context.caller}
'''


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"number": 41}, {"number": 42, "caller": CALLER}),
        ({"number": -1}, {"error": "there is no such order"}),
    ],
)
@virtual_time
async def test_a_function_in_python(tmp_path: Path, arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    """The operator's coroutine function gets its arguments and the call; the model gets what comes of it."""
    module = f"line_tools_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(textwrap.dedent(PYTHON_TOOL), "utf-8")
    lines = line(tools=[{"python": f"{module}:status"}])
    script = instant({"call": {"name": "status", "arguments": arguments}, "after_call": ANSWER})
    async with rig(configuration(tmp_path, lines), script) as held:
        async with calling(held) as (_, session):
            await turn(session)
            await answered(session)
        held.emulator.check()
    assert outputs(session) == [expected]
    (offered,) = session.session["tools"]
    assert offered["parameters"]["properties"].keys() == {"number"}
    assert offered["parameters"]["properties"]["number"]["description"] == "The number on the invoice."


MCP = {"server_label": "crm", "server_url": "https://mcp.example.com/", "require_approval": "never"}
MCP_CALL = {"server_label": "crm", "name": "get_customer", "arguments": {"id": 7}, "output": '{"name":"Ana"}'}


@virtual_time
async def test_a_tool_of_an_mcp_server(tmp_path: Path) -> None:
    """The service calls it by itself; the gateway asks for the response that speaks of it, once."""
    script = instant({"mcp": MCP_CALL, "after_call": ANSWER})
    async with rig(configuration(tmp_path, line(tools=[{"mcp": MCP}])), script) as held:
        async with calling(held) as (_, session):
            await turn(session)
            await answered(session)
        held.emulator.check()
    assert held.fields("CA1", "mcp_called")[0]["tool"] == "get_customer"
    assert held.fields("CA1", "mcp_returned")[0]["outcome"] == "ok"


@pytest.mark.parametrize(("key", "approved"), [("1", True), ("2", False)])
@virtual_time
async def test_an_mcp_tool_that_needs_the_callers_word(tmp_path: Path, key: str, *, approved: bool) -> None:
    """The caller is asked, a key decides, and the model speaks of the result or of the refusal."""
    approval = {"ask": "180 ms may I?", "key": "1"}
    lines = line(tools=[{"mcp": {**MCP, "require_approval": "always"}, "approval": approval}])
    script = instant({"mcp": MCP_CALL, "after_call": ANSWER})
    async with rig(configuration(tmp_path, lines), script) as held:
        async with calling(held) as (phone, session):
            await turn(session)
            await answered(session, "180 ms may I?")
            await phone.press(key)
            await session.until(lambda one: len(spoken(one)) == 3)
        held.emulator.check()
    assert held.fields("CA1", "approval_given")[0]["approved"] is approved
    assert bool(held.fields("CA1", "mcp_called")) is approved


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-4.1"])
@pytest.mark.parametrize("done_first", [True, False])
@virtual_time
async def test_words_cover_a_slow_mcp_server(tmp_path: Path, model: str, *, done_first: bool) -> None:
    """On every model, whether the service closes its response meanwhile or keeps it open; the result comes behind."""
    call = {**MCP_CALL, "takes_s": 1.0, "response_done_first": done_first}
    waiting = {"say": "160 ms please wait", "after_s": 0.2}
    lines = line(tools=[{"mcp": MCP, "while_waiting": waiting}])
    lines["support"] = lines["support"].replace("model: gpt-4.1", f"model: {model}")
    async with rig(configuration(tmp_path, lines), instant({"mcp": call, "after_call": ANSWER})) as held:
        async with calling(held) as (_, session):
            await turn(session)
            await answered(session)
        held.emulator.check()
    assert spoken(session)[1:] == ["160 ms please wait", ANSWER]
    assert held.fields("CA1", "mcp_returned")[0]["outcome"] == "ok"


@pytest.mark.parametrize("transcription", ["failed", "empty"])
@virtual_time
async def test_a_spoken_yes_that_was_not_understood_is_asked_for_again(tmp_path: Path, transcription: str) -> None:
    """A failed transcript is noted and counted; the question comes once more, and the yes after it counts."""
    approval = {"ask": "180 ms may I?", "words": ["yes"]}
    lines = line(tools=[{"mcp": {**MCP, "require_approval": "always"}, "approval": approval}])
    script = instant(
        {"mcp": MCP_CALL, "after_call": ANSWER},
        {"heard": "Yes.", "say": "140 ms", "transcription": transcription},
        {"heard": "Yes.", "say": "150 ms"},
    )
    async with rig(configuration(tmp_path, lines), script) as held:
        async with calling(held) as (_, session):
            await turn(session)
            await answered(session, "180 ms may I?")
            await turn(session)
            await session.until(lambda one: spoken(one).count("180 ms may I?") == 2)
            await turn(session)
            await answered(session)
        held.emulator.check()
        assert await held.metric("gateway_transcriptions_failed_total") == (transcription == "failed")
    assert len(held.fields("CA1", "transcription_failed")) == (transcription == "failed")
    assert held.fields("CA1", "approval_given")[0]["approved"] is True


@virtual_time
async def test_keys_reach_the_model_as_one_message(tmp_path: Path) -> None:
    """Digits and # become a user item and an answer."""
    lines = line(digits={"finish_on": "#", "pause_s": 2})
    async with rig(configuration(tmp_path, lines), instant({"say": ANSWER})) as held:
        async with calling(held) as (phone, session):
            for key in "123#":
                await phone.press(key)
            await answered(session)
        held.emulator.check()
    texts = [part.get("text") for item in session.items if item.get("role") == "user" for part in item["content"]]
    assert texts == ["(Keys pressed on the phone: 123)"]


AGENT = {"name": "desk-agent", "project": "contoso"}


@virtual_time
async def test_an_agent_answers(tmp_path: Path) -> None:
    """A line with an agent reaches it by name with an Entra token, and sends nothing that the agent owns."""
    text = f'numbers: ["{NUMBER}"]\nagent: {json.dumps(AGENT)}\ngreeting: 100 ms\n'
    async with rig(configuration(tmp_path, {"support": text}), instant({"say": ANSWER})) as held:
        async with calling(held) as (_, session):
            await turn(session)
            await answered(session)
        held.emulator.check()
    assert session.query["agent-name"] == "desk-agent"
    assert session.query["agent-project-name"] == "contoso"
    (update,) = session.updates
    assert not update.keys() & {"instructions", "tools", "tool_choice", "temperature", "model"}
