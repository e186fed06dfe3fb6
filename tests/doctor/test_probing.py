"""The background check of endpoints that failed."""

import asyncio

from gateway.doctor.probing import probing
from gateway.voice.bot import Model
from gateway.voice.endpoints.circuit import Circuit, Failure
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.pooled import PooledVoiceLive
from gateway.voice.service import VoiceUnreachableError
from tests.fakes import FakeSocket
from tests.virtual_time import virtual_time
from tests.voice.endpoints.pools import At, pooled

MODEL = Model("gpt-realtime")
GONE = VoiceUnreachableError("cannot be reached")


def circuit(held: PooledVoiceLive) -> Circuit:
    """The circuit of the only endpoint."""
    return held.pool.shown(asyncio.get_running_loop().time())[0].circuit


def fail(held: PooledVoiceLive) -> None:
    """Let a call fail."""
    held.pool.note_failed("west", Failure.UNREACHABLE, asyncio.get_running_loop().time())


@virtual_time
async def test_while_all_is_well_nothing_is_connected_to() -> None:
    """Not in an hour: no session of the quota is spent."""
    west = At("west")
    async with probing(pooled((Endpoint("west"), west)), MODEL):
        await asyncio.sleep(3600)
    assert west.asked == []


@virtual_time
async def test_an_endpoint_that_failed_is_probed_until_it_answers() -> None:
    """Less and less often; its sessions are over at once, and then it is left in peace."""
    sockets = [FakeSocket(), FakeSocket()]
    west = At("west", GONE, GONE, sockets[0])
    held = pooled((Endpoint("west"), west))
    async with probing(held, MODEL):
        fail(held)
        await asyncio.sleep(5)
        assert (len(west.asked), circuit(held)) == (1, Circuit.OPEN)
        await asyncio.sleep(60)
        assert (len(west.asked), circuit(held)) == (3, Circuit.CLOSED)
        assert sockets[0].closed_with is not None
        await asyncio.sleep(600)
    assert len(west.asked) == 3
    assert held.pool.shown(asyncio.get_running_loop().time())[0].sessions == 0


@virtual_time
async def test_without_a_line_nothing_is_probed() -> None:
    """There is no model to ask for."""
    held = pooled((Endpoint("west"), At("west")))
    async with probing(held, None):
        fail(held)
        await asyncio.sleep(60)
    assert circuit(held) is Circuit.HALF_OPEN


@virtual_time
async def test_a_fault_of_a_probe_does_not_end_the_gateway() -> None:
    """It is logged, with a traceback."""
    held = pooled((Endpoint("west"), At("west", RuntimeError("a bug"))))
    async with probing(held, MODEL):
        fail(held)
        await asyncio.sleep(2.6)
        assert circuit(held) is Circuit.HALF_OPEN
