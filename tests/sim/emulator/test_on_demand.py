"""Faults on demand as a client of the emulator sees them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from gateway.sim.emulator import Emulator
from gateway.sim.faults import Drawn, FaultPlan, drawn
from tests.sim.emulator.wire import ULAW, Wire, quick, url
from tests.virtual_time import virtual_time


def plan(*service: dict[str, Any]) -> Drawn:
    """Faults of the service."""
    return drawn(FaultPlan.model_validate({"service": list(service)}), 1)


@contextlib.asynccontextmanager
async def connected(faults: Drawn) -> AsyncIterator[tuple[Emulator, Wire]]:
    """A client whose session has these faults."""
    async with Emulator(quick()) as emulator, aiohttp.ClientSession(headers={"api-key": "any"}) as http:
        emulator.faults = faults.service
        async with http.ws_connect(url(emulator), autoping=False) as socket:
            wire = Wire(socket)
            await wire.until("session.created")
            yield emulator, wire


@virtual_time
async def test_handshakes_fail_by_their_numbers() -> None:
    """A status with its Retry-After, a reset, no answer, and then a session."""
    faults = plan(
        {"kind": "refuse", "status": 429, "retry_after_s": 2},
        {"kind": "refuse", "connection": [2, 3]},  # aiohttp tries a request again whose connection was reset
        {"kind": "no_answer", "connection": 4},
    )
    async with Emulator(quick()) as emulator, aiohttp.ClientSession(headers={"api-key": "any"}) as http:
        emulator.faults = faults.service
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url(emulator))
        assert refused.value.status == 429
        assert refused.value.headers is not None
        assert refused.value.headers["Retry-After"] == "2"
        with pytest.raises(aiohttp.ClientError):
            await http.ws_connect(url(emulator))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await http.ws_connect(url(emulator))
        async with http.ws_connect(url(emulator)) as socket:
            await Wire(socket).until("session.created")
    assert [(one.kind, one.connection) for one in faults.struck] == [
        ("refuse", 1),
        ("refuse", 2),
        ("refuse", 3),
        ("no_answer", 4),
    ]


@pytest.mark.parametrize(
    ("fault", "code"), [({"kind": "cut", "code": 1011, "reason": "gone"}, 1011), ({"kind": "reset"}, 1006)], ids=str
)
def test_an_end_in_the_middle_of_a_reply(fault: dict[str, Any], code: int) -> None:
    """Right after the second delta of the first reply, and not a delta more."""
    faults = plan({**fault, "when": {"reply": 1, "delta": 2}})

    @virtual_time
    async def ended() -> None:
        async with connected(faults) as (_, wire):
            await wire.update(**ULAW)
            await wire.send("response.create")
            assert await wire.closed() == code
            assert len(wire.all("response.audio.delta")) == 2
        assert [one.kind for one in faults.struck] == [fault["kind"]]

    ended()


@virtual_time
async def test_a_half_open_connection() -> None:
    """Nothing comes any more, no pong either; and the client sees no end."""
    async with connected(plan({"kind": "half_open", "when": {"s": 2}})) as (_, wire):
        await asyncio.sleep(3)
        await wire.socket.ping()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(40):
                await wire.socket.receive()


@virtual_time
async def test_a_mute_service() -> None:
    """``response.created`` and nothing more; a cancelled response ends; the socket answers pings."""
    async with connected(plan({"kind": "mute", "when": {"reply": 2}})) as (_, wire):
        await wire.update(**ULAW)
        await wire.send("response.create")
        await wire.until("response.done")
        await wire.send("response.create")
        await wire.until("response.created")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await wire.socket.receive()


@virtual_time
async def test_a_service_that_answers_no_request() -> None:
    """By nothing at all, or by an error to each."""
    async with connected(plan({"kind": "mute", "answers": "nothing"})) as (_, wire):
        await wire.update(**ULAW)
        await wire.send("response.create")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await wire.socket.receive()
    async with connected(plan({"kind": "mute", "answers": "error"})) as (_, wire):
        await wire.update(**ULAW)
        for _ in range(3):
            await wire.send("response.create")
            assert (await wire.error())["type"] == "server_error"


@virtual_time
async def test_a_stall_before_the_first_delta() -> None:
    """A service that is mute for a time speaks afterwards."""
    loop = asyncio.get_running_loop()
    async with connected(plan({"kind": "mute", "for_s": 4})) as (_, wire):
        await wire.update(**ULAW)
        await wire.send("response.create")
        await wire.until("response.created")
        begun = loop.time()
        await wire.until("response.audio.delta")
        assert 4 <= loop.time() - begun < 4.5


@virtual_time
async def test_what_is_sent_beside_the_conversation() -> None:
    """A burst of errors, and a frame that is no event; the session goes on."""
    errors = {"kind": "errors", "when": {"s": 1}, "count": 3}
    faults = plan(errors, {"kind": "malformed", "when": {"s": 2}, "frame": "{"})
    async with connected(faults) as (_, wire):
        for _ in range(3):
            assert (await wire.error())["code"] == "server_error"
        assert (await wire.socket.receive_str()) == "{"
        await wire.update(**ULAW)


@virtual_time
async def test_a_session_expires_when_it_said() -> None:
    """``expires_at`` tells its end, and a close with 1001 is it."""
    loop = asyncio.get_running_loop()
    faults = plan({"kind": "expire", "after_s": 20})
    async with connected(faults) as (_, wire):
        begun = loop.time()
        assert await wire.closed() == 1001
        assert 19 < loop.time() - begun <= 20
    assert [one.kind for one in faults.struck] == ["expire"]
