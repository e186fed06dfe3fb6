"""A gateway that is told to stop twice: calls end at once and in order, whatever they are at."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import configuration, instant, noise, rig
from tests.e2e.test_hang_up import (
    ENDER,
    SAY,
    TALKER,
    State,
    before_start,
    connecting,
    greeting,
    reply,
    tool,
    unready,
)
from tests.virtual_time import virtual_time

DRAIN_S = 600
AT_ONCE_S = 6
"""Closing calls takes 5 s at most."""
SLOW: dict[State, dict[str, Any]] = {
    connecting: {"latency_ms": {"handshake": 5_000}},
    unready: {"latency_ms": {"update": 5_000}},
}


@pytest.mark.parametrize("state", [before_start, connecting, unready, greeting, reply, tool])
@virtual_time
async def test_the_second_signal_ends_each_call_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    """The first lets calls go on; behind the second nothing is left of them, and each has its reason."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    answer = {"call": {"name": "end_call"}, "after_call": SAY} if state is tool else {"say": SAY}
    script = instant(answer, **SLOW.get(state, {}))
    loop = asyncio.get_running_loop()
    async with rig(configuration(tmp_path, ENDER if state is tool else TALKER), script, limit_s=3600) as held:
        async with bare_phone(held.stream_url) as phone:
            await state(held, phone)
            drain = loop.create_task(held.gateway.calls.drain(DRAIN_S, AT_ONCE_S))
            await asyncio.sleep(0.1)
            assert not drain.done()
            told_at = loop.time()
            held.gateway.calls.end_now()
            await phone.closed()
            await drain
            assert loop.time() - told_at < AT_ONCE_S
        await held.until_quiet()
        await asyncio.sleep(AT_ONCE_S)  # the emulator, which was slow on purpose, comes to its answer
        if state is before_start:
            assert held.notes == {}
        else:
            assert (await held.end_of(phone.call_id))["reason"] == "shut_down"
