"""Calls of which one side is gone without a word: each is noticed in time, and no session outlives its call."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.phone.providers import PROVIDERS
from gateway.sim.emulator import Emulator
from gateway.sim.faults import Drawn, FaultPlan, drawn
from gateway.sim.phone.phone import SimulatedPhone
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, instant, noise
from tests.e2e.tool_server import tool_server
from tests.kinds import STREAM_ONLY
from tests.virtual_time import virtual_time

NOTICED_S = 15.0
"""The time within which either side is missed."""
CLOSED_S = 1.0
"""The time within which a session is closed once its phone is gone."""
GRAIN_S = 0.12
"""The longest frame of a provider is 100 ms, and timers are met within a few."""
NUMBERS = {name: f"+1425555{number:04}" for number, name in enumerate(PROVIDERS)}


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def lines(greeting: str = "600 ms", keys: str = "") -> dict[str, str]:
    """A line for each provider."""
    text = LINE.partition("\n")[2].replace("greeting: Hello.\n", f"greeting: {greeting}\n" if greeting else "")
    return {name: f'numbers: ["{number}"]\n{text}{keys}' for name, number in NUMBERS.items()}


def plan(**sides: list[dict[str, Any]]) -> Drawn:
    """The faults of a call."""
    return drawn(FaultPlan.model_validate(sides), 1)


async def run_call(held: Exchange, provider: str, faults: Drawn) -> tuple[SimulatedPhone, float]:
    """Call until the gateway or a fault ends it: the phone, and when its session was closed."""
    url = held.stream_url(provider) if provider in STREAM_ONLY else ""
    async with held.call(provider, NUMBERS[provider], url=url, faults=faults.phone, keep=False) as phone:
        session = await held.session_of(provider)
        await session.closed.wait()
        at = asyncio.get_running_loop().time()
        await phone.closed.wait()
    return phone, at


@virtual_time
async def test_a_phone_that_vanished_is_noticed_in_time(tmp_path: Path) -> None:
    """At every provider, in the middle of a reply: no FIN, no answer to pings; then its session is closed at once."""
    async with exchange(tmp_path, PROVIDERS, lines("3000 ms"), instant(), limit_s=600) as held:

        async def one(provider: str) -> None:
            faults = plan(phone=[{"kind": "vanish", "when": {"reply": 1, "heard_s": 0.5}}])
            phone, at = await run_call(held, provider, faults)
            end = await held.told(provider, "call_ended")
            assert (provider, end["reason"]) == (provider, "stream_lost")
            assert (provider, at - faults.struck[0].at <= NOTICED_S + GRAIN_S) == (provider, True)
            assert phone.end_reason == "the phone vanished"

        await asyncio.gather(*map(one, PROVIDERS))


@pytest.mark.parametrize("moment", [{"s": 2}, {"reply": 1, "delta": 2}, {"event": "session.created"}], ids=str)
def test_a_service_that_stopped_answering_is_noticed_in_time(tmp_path: Path, moment: dict[str, Any]) -> None:
    """Its socket is open, and brings nothing, no pong either: the call ends, or goes on with another session."""

    @virtual_time
    async def noticed() -> None:
        loop, faults = asyncio.get_running_loop(), plan(service=[{"kind": "half_open", "when": moment}])
        async with exchange(tmp_path, ["twilio"], {"twilio": lines("3000 ms")["twilio"]}, instant()) as held:
            held.emulator.faults = faults.service
            async with held.call("twilio", NUMBERS["twilio"]):
                while not faults.struck:  # noqa: ASYNC110 -- a fault has no event
                    await asyncio.sleep(GRAIN_S)
                while held.emulator.handshakes == 1 and not held.fields("twilio", "call_ended"):  # noqa: ASYNC110
                    await asyncio.sleep(GRAIN_S)
                assert loop.time() - faults.struck[0].at <= NOTICED_S + CLOSED_S

    noticed()


@virtual_time
async def test_the_longest_call_is_no_longer_where_no_media_flows(tmp_path: Path) -> None:
    """At every provider: the phone is alive and sends no audio, the service is alive and says nothing."""
    keys = "limits: {duration_s: 20}\n"
    async with exchange(tmp_path, PROVIDERS, lines("", keys), instant(), limit_s=600) as held:

        async def one(provider: str) -> None:
            faults = plan(phone=[{"kind": "loss", "share": 1}])
            phone, at = await run_call(held, provider, faults)
            end = await held.told(provider, "call_ended")
            assert (provider, end["reason"]) == (provider, "time_limit")
            assert (provider, 19.5 <= at - phone.started_at <= 20 + CLOSED_S + GRAIN_S) == (provider, True)

        await asyncio.gather(*map(one, PROVIDERS))


@virtual_time
async def test_a_call_without_media_ends_where_the_line_says_so(tmp_path: Path) -> None:
    """At every provider, though its stream is alive: after ``limits.no_audio_s``, and not before."""
    keys = "limits: {no_audio_s: 20}\n"
    async with exchange(tmp_path, PROVIDERS, lines("", keys), instant(), limit_s=600) as held:

        async def one(provider: str) -> None:
            faults = plan(phone=[{"kind": "loss", "share": 1, "when": {"s": 2}}])
            phone, at = await run_call(held, provider, faults)
            end = await held.told(provider, "call_ended")
            assert (provider, end["reason"]) == (provider, "stream_lost")
            assert "20 s, although its stream is alive" in str(end["detail"])
            assert (provider, 21.8 <= at - phone.started_at <= 22 + CLOSED_S + GRAIN_S) == (provider, True)

        await asyncio.gather(*map(one, PROVIDERS))


TOOLS = """
tools:
  - end_call
  - name: look_up
    description: Looks something up.
    http: {{method: POST, url: "{url}/hang"}}
"""
STATES: Mapping[str, Mapping[str, Any]] = {
    "connecting": {},
    "negotiating": {"latency_ms": {"update": 60_000}},
    "greeting": {},
    "caller speaks": {},
    "answer asked for": {},
    "reply plays": {},
    "tool runs": {},
    "hang-up planned": {},
    "another session sought": {},
    "another session ready": {},
}
"""The states of a session, each with what the script needs for it."""
BROKEN: Mapping[str, list[dict[str, Any]]] = {
    "connecting": [{"kind": "no_answer", "connection": "every"}],
    "answer asked for": [{"kind": "mute", "when": {"reply": 2}}],
    "another session sought": [
        {"kind": "cut", "when": {"reply": 2}},
        {"kind": "no_answer", "connection": [2, 3, 4, 5]},
    ],
    "another session ready": [{"kind": "expire", "after_s": 5}],
}
"""The faults of the service that keep a call in its state."""
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "tool runs": {"say": "100 ms", "call": {"name": "look_up"}},
    "hang-up planned": {"say": "9000 ms", "call": {"name": "end_call"}},
}


async def bring_to(state: str, held: Exchange, number: int) -> None:
    """Bring the call with that number to a state."""
    if state in ("connecting", "negotiating"):
        return await asyncio.sleep(1)
    ready = await held.told("twilio", "session_ready", number)
    session = next(one for one in held.emulator.sessions if one.id == ready["session_id"])
    if state != "greeting":
        await held.told("twilio", "reply_heard", len(held.fields("twilio", "reply_heard")) + 1)
        await session.speech_started()
        await asyncio.sleep(0.3)
    if state not in ("greeting", "caller speaks"):
        await session.speech_stopped()
    if state == "another session ready":
        while len([one for one in held.emulator.sessions if one.updates and not one.closed.is_set()]) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return await asyncio.sleep(0.1)
    return await asyncio.sleep(0.6)


async def hangs_up(_: Exchange, phone: SimulatedPhone) -> None:
    """Send what the provider sends at a hang-up."""
    phone.hang_up()


async def is_lost(_: Exchange, phone: SimulatedPhone) -> None:
    """Close the connection without a message."""
    await phone.drop()


async def is_reset(_: Exchange, phone: SimulatedPhone) -> None:
    """Reset the connection."""
    phone._connection.reset()


async def is_reported_over(held: Exchange, phone: SimulatedPhone) -> None:
    """Report the end beside the stream, which stays open."""
    assert held.gateway.calls.reported_over((phone.url.split("/stream/")[1].split("/")[0], phone.call_id), "completed")


async def is_shut_down(held: Exchange, _: SimulatedPhone) -> None:
    """Stop the call because its process stops."""
    for call in list(held.gateway.calls._calls):
        call.shut_down(at_once=True)


UNREAD = {"kind": "stalled_reader", "when": {"s": 0.9}}
WAYS = (hangs_up, is_lost, is_reset, is_reported_over, is_shut_down)


@pytest.mark.parametrize(
    ("provider", "state"),
    [*(("twilio", state) for state in STATES), *(("genesys", state) for state in ("connecting", "reply plays"))],
)
def test_no_session_outlives_its_call(tmp_path: Path, provider: str, state: str) -> None:
    """Whatever ends a call, in whatever state: its connection to the service is gone within a second.

    Twilio's streams end at once, and Genesys' only when the phone has closed them; here it reads nothing any more.
    """

    @virtual_time
    async def ended() -> None:
        async with tool_server() as tools:
            text = LINE.partition("\n")[2].replace("Hello.", "900 ms") + TOOLS.format(url=tools.url)
            line = {"twilio": f'numbers: ["{NUMBERS[provider]}"]\n{text}'}
            script = instant(ANSWERS.get(state, {"say": "9000 ms"}), **STATES[state])
            async with exchange(tmp_path, [provider], line, script, limit_s=900) as held:
                url = held.stream_url(provider) if provider in STREAM_ONLY else ""
                for number, end in enumerate(WAYS, 1):
                    faults = plan(service=BROKEN.get(state, []), phone=[UNREAD])
                    held.emulator.faults = faults.service
                    async with held.call(provider, NUMBERS[provider], url=url, faults=faults.phone) as phone:
                        await bring_to(state, held, number)
                        assert connections(held.emulator) == 1 + (state == "another session ready"), end.__name__
                        await end(held, phone)
                        await asyncio.sleep(CLOSED_S + GRAIN_S)
                        assert connections(held.emulator) == 0, end.__name__
                        assert held.emulator.open_sessions == 0, end.__name__
                    tools.release.set()
                    await held.told("twilio", "call_ended", number)

    ended()


def connections(emulator: Emulator) -> int:
    """Return how many connections to the service there are, those in their handshake included."""
    assert emulator._runner is not None
    assert emulator._runner.server is not None
    return sum(connection.transport is not None for connection in emulator._runner.server.connections)
