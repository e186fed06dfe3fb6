"""One story in every order and dialect in which the service may tell it: the caller hears the same, as soon."""

import asyncio
import itertools
from pathlib import Path

import pytest

from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Session
from tests.e2e.rig import NUMBER, configuration, instant, noise, rig
from tests.e2e.test_tools import ANSWER, CALLER, MCP, MCP_CALL, call_of, function, line, turn
from tests.e2e.tool_server import tool_server
from tests.sim.emulator.wire import Event
from tests.virtual_time import virtual_time

GREETING, QUESTION, DENIAL, MORE = "100 ms", "180 ms may I?", "130 ms then not", "120 ms of more"
FILLER = "140 ms one moment"
THINKS_S, RUNS_S = 4.0, 0.5
"""The caller thinks so long about the question, and the server runs so long."""
ORDERS = list(
    itertools.product(
        ("own_response", "outside", "call_first"),
        (True, False),
        ("voice_live gpt-realtime", "ga gpt-4.1"),
    )
)


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def spoken(session: Session) -> list[str]:
    """What the bot has said whole, by whichever name the service reports it."""
    names = ("response.audio_transcript.done", "response.output_audio_transcript.done")
    return [record.event["transcript"] for record in session.sent if record.type in names]


@pytest.mark.parametrize("key", ["1", "2"])
@pytest.mark.parametrize(("order", "done_first", "speaks"), ORDERS)
@virtual_time
async def test_a_call_that_needs_approval(
    tmp_path: Path, order: str, speaks: str, key: str, *, done_first: bool
) -> None:
    """The question, the caller's key after 4 s, the answer at once, and a further turn; nobody worked meanwhile."""
    dialect, model = speaks.split()
    lines = line(tools=[{"mcp": {**MCP, "require_approval": "always"}, "approval": {"ask": QUESTION, "key": "1"}}])
    lines["support"] = lines["support"].replace("model: gpt-4.1", f"model: {model}")
    call = {**MCP_CALL, "takes_s": RUNS_S, "approval": order, "response_done_first": done_first}
    turns: list[Event] = [{"mcp": call, "after_call": ANSWER, "after_denial": DENIAL}, {"say": MORE}]
    approved = key == "1"
    async with rig(configuration(tmp_path, lines), instant(*turns, dialect=dialect)) as held:
        async with dial("twilio", held.stream_url, to=NUMBER, from_=CALLER, call_id="CA1") as phone:
            session = await held.emulator.session()
            await session.until(lambda one: spoken(one) == [GREETING])
            await turn(session)
            await session.until(lambda one: QUESTION in spoken(one))
            await asyncio.sleep(THINKS_S)
            await phone.press(key)
            pressed = asyncio.get_running_loop().time()
            await session.until(lambda one: len(spoken(one)) == 3)
            waited_s = asyncio.get_running_loop().time() - pressed
            await turn(session)
            await session.until(lambda one: MORE in spoken(one))
        held.emulator.check()
    assert spoken(session) == [GREETING, QUESTION, ANSWER if approved else DENIAL, MORE]
    assert waited_s < (RUNS_S if approved else 0) + 1
    returned = held.fields("CA1", "mcp_returned")
    assert [note["outcome"] for note in returned] == (["ok"] if approved else ["error"] * (order == "call_first"))
    assert all(float(str(note["took_ms"])) < 1000 * (RUNS_S + 1) for note in returned)
    assert held.fields("CA1", "approval_given")[0]["approved"] is approved


@pytest.mark.parametrize(("dialect", "model"), [("voice_live", "gpt-4.1"), ("ga", "gpt-4.1"), ("ga", "gpt-realtime")])
@virtual_time
async def test_an_ordinary_call(tmp_path: Path, dialect: str, model: str) -> None:
    """A greeting, a barge-in that is truncated at what was heard, and an answer."""
    lines = line()
    lines["support"] = lines["support"].replace("model: gpt-4.1", f"model: {model}")
    script = instant({"say": "9000 ms of a long answer"}, {"say": MORE}, dialect=dialect)
    async with rig(configuration(tmp_path, lines), script) as held:
        async with dial("twilio", held.stream_url, to=NUMBER, from_=CALLER, call_id="CA1"):
            session = await held.emulator.session()
            await session.until(lambda one: spoken(one) == [GREETING])
            await turn(session)
            await session.until(lambda one: len(spoken(one)) == 2)
            await asyncio.sleep(2)
            await turn(session)
            await session.until(lambda one: MORE in spoken(one))
        held.emulator.check()
    (truncated,) = [record.event for record in session.received if record.type == "conversation.item.truncate"]
    assert 1000 < truncated["audio_end_ms"] < 2500
    assert spoken(session) == [GREETING, "9000 ms of a long answer", MORE]
    assert not held.fields("CA1", "unknown_message")


@pytest.mark.parametrize("trigger", ["latency", "tool"])
@virtual_time
async def test_words_of_the_service_while_it_takes_long(tmp_path: Path, trigger: str) -> None:
    """As an item of the late response, or as a response that nobody asked for: they are heard, then the answer."""
    config = {"type": "static_interim_response", "texts": [FILLER], "triggers": [trigger], "latency_threshold_ms": 500}
    is_late = trigger == "latency"
    async with tool_server() as server:
        lines = line(tools=[function(server, "hangs")], interim_response=config)
        script = instant(
            {"say": ANSWER} if is_late else call_of("hangs", number="42"),
            {"say": MORE},
            latency_ms={"first_delta": 900 if is_late else 0},
        )
        async with rig(configuration(tmp_path, lines), script) as held:
            async with dial("twilio", held.stream_url, to=NUMBER, from_=CALLER, call_id="CA1"):
                session = await held.emulator.session()
                await session.until(lambda one: GREETING in spoken(one))
                await turn(session)
                await session.until(lambda one: ANSWER in spoken(one))
                await turn(session)
                await session.until(lambda one: MORE in spoken(one))
            held.emulator.check()
    whole = [FILLER, GREETING, FILLER, ANSWER, FILLER, MORE] if is_late else [GREETING, FILLER, ANSWER, MORE]
    assert spoken(session) == whole
