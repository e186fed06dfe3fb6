"""One endpoint for the attempt at one session."""

import asyncio

import pytest

from gateway.voice.bot import Model
from gateway.voice.endpoints.circuit import Circuit, Failure
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.lease import Alone
from gateway.voice.service import VoiceRefusedError
from tests.fakes import FakeSocket
from tests.virtual_time import virtual_time
from tests.voice.endpoints.pools import At, pooled

MODEL = Model("gpt-realtime")


@virtual_time
async def test_each_connection_counts_and_a_failure_opens_the_circuit() -> None:
    """For as long as the service asks to wait."""
    refused = VoiceRefusedError("too many", status=429, retry_after_s=20)
    held = pooled((Endpoint("west"), At("west", FakeSocket(), refused)))
    lease = held.lease(MODEL)
    assert lease is not None
    await lease.connect(MODEL)
    with pytest.raises(VoiceRefusedError):
        await lease.connect(MODEL)
    now = asyncio.get_running_loop().time()
    (shown,) = held.pool.shown(now)
    assert (shown.in_minute, shown.circuit, shown.last_failure) == (2, Circuit.OPEN, "quota")
    assert held.pool.probe_due(now) == now + 20
    lease.end()


@virtual_time
async def test_an_end_without_a_result_frees_the_probe() -> None:
    """One with a result does not: the circuit says what comes next."""
    held = pooled((Endpoint("west"), At("west")))
    lease = held.lease(MODEL)
    assert lease is not None
    lease.failed(Failure.TROUBLE)
    lease.end()
    await asyncio.sleep(2)
    probe = held.probe()
    assert probe is not None
    assert held.probe() is None
    probe.end()
    again = held.probe()
    assert again is not None
    again.ready()
    again.end()
    assert held.pool.shown(0)[0].circuit is Circuit.CLOSED


async def test_a_service_without_a_pool_counts_nothing() -> None:
    """It only connects."""
    west = At("west", FakeSocket())
    lease = Alone(west)
    await lease.connect(MODEL)
    lease.ready()
    lease.answered()
    lease.failed(Failure.TROUBLE)
    lease.end()
    assert west.asked == [MODEL]
