"""A gateway that is told to stop: its calls have their time, and those that are left are told and handed on."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.audio.formats import PCMU
from gateway.call.calls import ANNOUNCE_LIMIT_S
from gateway.sim.phone.phone import SimulatedPhone
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, instant, noise
from tests.virtual_time import virtual_time

CALLS = 50
STRAGGLERS = 20
DRAIN_S = 3.0
CLOSING_S = 5.0
RESCUE = "+14255550177"
WORDS = "1000 ms we restart"
KEYS = f'on_failure: {{say: Sorry., transfer: "{RESCUE}"}}\non_shutdown: {{say: {WORDS}}}\n'


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


async def begin(held: Exchange, stack: AsyncExitStack, count: int) -> list[SimulatedPhone]:
    """Begin calls, and wait until each has heard the greeting."""
    phones = await asyncio.gather(
        *(stack.enter_async_context(held.call("twilio", NUMBER, call_id=f"CA{n:032}")) for n in range(count))
    )
    await held.told("support", "reply_heard", count)
    return phones


@virtual_time
async def test_no_call_is_dropped_within_the_drain_and_stragglers_are_told_and_transferred(tmp_path: Path) -> None:
    """Of fifty calls those that end by themselves do so; the others hear the words to their end, then a colleague."""
    line = {"support": LINE.replace("Hello.", "200 ms") + KEYS}
    async with exchange(tmp_path, ["twilio"], line, instant()) as held, AsyncExitStack() as stack:
        phones = await begin(held, stack, CALLS)
        loop = asyncio.get_running_loop()
        began = loop.time()
        drain = loop.create_task(held.gateway.calls.drain(DRAIN_S, CLOSING_S))
        await asyncio.sleep(DRAIN_S / 2)
        assert held.fields("support", "call_ended") == []
        for phone in phones[STRAGGLERS:]:
            phone.hang_up()
        await asyncio.sleep(DRAIN_S / 2 - 0.1)
        assert len(held.fields("support", "call_ended")) == CALLS - STRAGGLERS
        assert not any(phone.closed.is_set() for phone in phones[:STRAGGLERS])
        await drain
        assert loop.time() - began < DRAIN_S + 3
        ends = Counter(str(fields["reason"]) for fields in held.fields("support", "call_ended"))
        assert ends == {"caller_hung_up": CALLS - STRAGGLERS, "transferred": STRAGGLERS}
        words = await noise(WORDS, PCMU)
        for phone in phones[:STRAGGLERS]:
            assert words in bytes(phone.bot_audio)
            assert [message.name for message in phone.messages if message.event == "transfer"] == [RESCUE]
            assert phone.violations == []
        announced = held.fields("support", "shut_down_announced")
        assert announced == [{"says": True, "target": "on_failure"}] * STRAGGLERS


@virtual_time
async def test_a_second_signal_cuts_the_words_and_the_provider_goes_on(tmp_path: Path) -> None:
    """The caller's stream ends in the middle of them, and ``on_failure`` follows as after any failure."""
    line = {"support": LINE.replace("Hello.", "200 ms") + KEYS}
    async with exchange(tmp_path, ["twilio"], line, instant()) as held, AsyncExitStack() as stack:
        (phone,) = await begin(held, stack, 1)
        loop = asyncio.get_running_loop()
        drain = loop.create_task(held.gateway.calls.drain(0, CLOSING_S))
        await held.told("support", "shut_down_announced")
        await asyncio.sleep(0.5)
        assert not phone.closed.is_set()
        held.gateway.calls.end_now()
        await drain
        assert (await held.told("support", "call_ended"))["reason"] == "shut_down"
        await phone.closed.wait()
    assert [(step.kind, step.text) for step in phone.continuation[:2]] == [("say", "Sorry."), ("transfer", RESCUE)]


@virtual_time
async def test_words_that_never_come_hold_the_gateway_up_no_longer_than_their_limit(tmp_path: Path) -> None:
    """Voice Live answers nothing: the caller is connected with the rescue all the same."""
    line = {"support": LINE.replace("greeting: Hello.\n", "") + KEYS}
    script = instant({"say": "100 ms"}, latency_ms={"create": 3_600_000})
    async with exchange(tmp_path, ["twilio"], line, script, limit_s=3600) as held, AsyncExitStack() as stack:
        phone = await stack.enter_async_context(held.call("twilio", NUMBER))
        await held.told("support", "session_ready")
        loop = asyncio.get_running_loop()
        began = loop.time()
        await held.gateway.calls.drain(0, CLOSING_S)
        assert loop.time() - began < ANNOUNCE_LIMIT_S + CLOSING_S
        assert (await held.told("support", "call_ended"))["reason"] == "transferred"
        assert [message.name for message in phone.messages if message.event == "transfer"] == [RESCUE]
