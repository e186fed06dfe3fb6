"""What follows a call at every provider: the rescue for callers whose call failed, and for nobody else."""

import asyncio
import contextlib
import os
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from gateway.app import serving
from gateway.fleet.board import Board, board_file
from gateway.phone.providers import PROVIDERS
from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Emulator
from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.providers.twilio import signature
from tests.conformance.transcripts import bare
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, configuration, instant, load, noise
from tests.e2e.test_outlived_streams import CASES, NUMBERS, line_of
from tests.virtual_time import virtual_time

RESCUE = "+14255550177"
KEYS = (
    "tools: [end_call]\nafter: {say: Thank you.}\non_trouble: {tries: 0}\n"
    f'on_failure: {{say: Sorry., transfer: "{RESCUE}"}}\n'
)
FOLLOWED = tuple(case for case in CASES if bare(case.partition(" ")[0]).traits.transfers_after)
"""At the others a flow or dialplan of the operator's says what follows."""
TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def lines(keys: str) -> dict[str, str]:
    """A line for each case, with these keys."""
    text = LINE.partition("\n")[2].replace("Hello.", "200 ms")
    return {line_of(case): f'numbers: ["{NUMBERS[case]}"]\n{text}{keys}' for case in CASES}


def calling(held: Exchange, case: str) -> contextlib.AbstractAsyncContextManager[SimulatedPhone]:
    """A call to the case's line."""
    provider, _, quirk = case.partition(" ")
    return held.call(provider, NUMBERS[case], quirks=[quirk] if quirk else [])


def says_after(case: str) -> bool:
    """Whether the provider says words after the stream."""
    return bare(case.partition(" ")[0]).traits.says_after


def told(phone: SimulatedPhone) -> tuple[list[str], list[str]]:
    """What was said behind the stream, and whom the caller was connected with."""
    said = [step.text for step in phone.continuation if step.kind == "say"]
    reached = [step.text for step in phone.continuation if step.kind == "transfer"]
    assert "failed" not in {step.kind for step in phone.continuation}
    return said, ["+" + to.removeprefix("+") for to in reached]


@pytest.mark.parametrize("case", FOLLOWED)
@virtual_time
async def test_a_satisfied_caller_is_not_rescued(tmp_path: Path, case: str) -> None:
    """After the bot's farewell the line's ``after`` follows."""
    script = instant({"say": "100 ms", "call": {"name": "end_call"}})
    async with exchange(tmp_path, PROVIDERS, lines(KEYS), script) as held:
        async with calling(held, case) as phone:
            session = await held.session_of(line_of(case))
            await held.told(line_of(case), "reply_heard")
            await session.speech_started()
            await session.speech_stopped()
            await phone.closed.wait()
        assert (await held.told(line_of(case), "call_ended"))["reason"] == "bot_hung_up"
        said, reached = told(phone)
    assert reached == []
    assert said == (["Thank you."] if says_after(case) else [])


@pytest.mark.parametrize("case", FOLLOWED)
@virtual_time
async def test_the_caller_of_a_failed_call_is_rescued(tmp_path: Path, case: str) -> None:
    """Where the service is lost, ``on_failure`` follows, and never ``after``."""
    async with exchange(tmp_path, PROVIDERS, lines(KEYS), instant()) as held:
        async with calling(held, case) as phone:
            session = await held.session_of(line_of(case))
            await held.told(line_of(case), "reply_heard")
            session.cut()
            await phone.closed.wait()
        assert (await held.told(line_of(case), "call_ended"))["reason"] == "voice_lost"
        said, reached = told(phone)
    assert reached == [RESCUE]
    assert said == (["Sorry."] if says_after(case) else [])


@pytest.mark.parametrize("case", FOLLOWED)
@virtual_time
async def test_the_caller_is_rescued_once_no_other_session_was_found(tmp_path: Path, case: str) -> None:
    """The tries at another session are made, and only then ``on_failure`` follows."""
    away = FaultPlan.model_validate({"service": [{"kind": "refuse", "status": 503, "connection": "every"}]})
    keys = KEYS.replace("{tries: 0}", "{tries: 2, limit_s: 6}")
    async with exchange(tmp_path, PROVIDERS, lines(keys), instant()) as held:
        async with calling(held, case) as phone:
            session = await held.session_of(line_of(case))
            await held.told(line_of(case), "reply_heard")
            held.emulator.faults = drawn(away, 1).service
            session.cut()
            await phone.closed.wait()
        assert (await held.told(line_of(case), "session_not_recovered"))["tries"] == 2
        assert (await held.told(line_of(case), "call_ended"))["reason"] == "voice_lost"
        said, reached = told(phone)
    assert reached == [RESCUE]
    assert said == (["Sorry."] if says_after(case) else [])


async def test_any_worker_knows_how_a_call_ended(tmp_path: Path) -> None:
    """The provider asks one that did not have the call: a satisfied caller is not rescued there either."""
    gateway_yaml = 'providers: {twilio: {}}\nstreams: {auth: "off"}\n'
    line = LINE.replace("Hello.", "200 ms") + KEYS
    deployment, read = load(configuration(tmp_path, {"support": line}, gateway_yaml), {"TWILIO_AUTH_TOKEN": TOKEN})
    script = instant({"say": "100 ms", "call": {"name": "end_call"}})
    async with asyncio.timeout(60), Emulator(script) as service, AsyncExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        public = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        served = deployment.model_copy(update={"public_url": public})
        calls = served.limits.places
        descriptor = board_file(calls)
        stack.callback(os.close, descriptor)
        boards = [Board(calls, descriptor, worker) for worker in (1, 2)]
        _, there = [
            await stack.enter_async_context(
                serving(served, read, endpoint=service.endpoint, api_key="any", listener=one, board=board)
            )
            for one, board in zip(sockets, boards, strict=True)
        ]
        streams = public.replace("http", "ws", 1) + "/stream/twilio"
        async with dial("twilio", streams, to=NUMBER, from_="+14155550123", secrets={"auth_token": TOKEN}) as phone:
            session = await service.session()
            await session.until(lambda session: any(record.type == "response.done" for record in session.sent))
            await session.speech_started()
            await session.speech_stopped()
            await phone.closed.wait()
        path, form = "/answer/twilio/support?stream=ended", {"To": NUMBER, "CallStatus": "in-progress"}
        told = []
        for call_id in (phone.call_id, "CA-of-nobody"):
            asked = {**form, "CallSid": call_id}
            headers = {"X-Twilio-Signature": signature(TOKEN, public + path, asked)}
            async with aiohttp.ClientSession() as http:
                answer = await http.post(there.url + path, data=asked, headers=headers)
                told.append(await answer.text())
    assert "<Say>Thank you.</Say><Hangup/>" in told[0]
    assert f"<Say>Sorry.</Say><Dial>{RESCUE}</Dial><Hangup/>" in told[1]
