"""A phone's connection that is reset, not read, or left open: what the other side sees of it."""

import asyncio

from gateway.audio.formats import PCMU
from gateway.sim.abandoned import ABANDONED_LIMIT_S
from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.faults.phone import PhoneFaults
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.wire import SimCall, StreamOpening
from tests.sim.phone.test_phone import WordWire
from tests.sim.scripted import Peer, scripted
from tests.virtual_time import virtual_time

CALL = SimCall("+2", "+1", "c1", "s1", PCMU)


def faults(**fault: object) -> PhoneFaults:
    """The faults of a stream with this one."""
    return drawn(FaultPlan.model_validate({"phone": [fault]}), 1).phone


async def call(url: str, held: PhoneFaults) -> SimulatedPhone:
    """Make a call with these faults, to its end."""
    opening = StreamOpening(url)
    async with SimulatedPhone.open(opening, WordWire(CALL, opening), faults=held) as phone:
        await phone.closed.wait()
    return phone


@virtual_time
async def test_a_reset() -> None:
    """The connection breaks off, without a close frame."""
    async with scripted(lambda peer: asyncio.sleep(0)) as gateway:
        phone = await call(gateway.url, faults(kind="reset", when={"s": 1}))
        peer = await gateway.peer()
    assert (phone.ended_by, phone.end_reason) == ("network", "the connection was reset")
    assert peer.socket.close_code is None
    assert len(peer.binaries) == 50


@virtual_time
async def test_a_phone_that_vanishes_closes_nothing() -> None:
    """It sends no more, answers no ping, and its connection is open until the gateway closes it."""
    loop, seen = asyncio.get_running_loop(), list[float]()

    async def script(peer: Peer) -> None:
        while len(peer.binaries) < 50:
            await peer.next()
        await asyncio.sleep(0.1)
        await peer.socket.ping()
        try:
            await peer.socket.receive(timeout=20)
        except TimeoutError:
            seen.append(loop.time())
        await peer.socket.send_str("say " + "x" * 1000)
        await peer.socket.close()

    async with scripted(script) as gateway:
        phone = await call(gateway.url, faults(kind="vanish", when={"s": 1}))
    assert (phone.ended_by, phone.end_reason, phone.violations) == ("network", "the phone vanished", [])
    assert 20 <= seen[0] - phone.started_at - 1 < 21
    assert loop.time() - seen[0] < 11  # aiohttp waits for the close of the other side for 10 s


@virtual_time
async def test_a_vanished_phone_is_not_kept_for_ever() -> None:
    """Where the gateway never notices, the connection is closed here."""
    async with scripted(lambda peer: asyncio.sleep(2 * ABANDONED_LIMIT_S)) as gateway:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await call(gateway.url, faults(kind="vanish", when={"s": 1}))
        assert 0 <= loop.time() - begun - 1 - ABANDONED_LIMIT_S < 1


@virtual_time
async def test_a_stalled_reader_reads_on_afterwards() -> None:
    """What was sent meanwhile comes late, and all of it."""

    async def script(peer: Peer) -> None:
        for _ in range(100):
            await peer.next()
            await peer.socket.send_bytes(b"\x22" * 160)

    async with scripted(script) as gateway:
        opening = StreamOpening(gateway.url)
        held = faults(kind="stalled_reader", when={"s": 0.5}, for_s=1)
        async with SimulatedPhone.open(opening, WordWire(CALL, opening), faults=held) as phone:
            await asyncio.sleep(1.4)
            assert len(phone.messages) <= 30
            await asyncio.sleep(2)
            assert len(phone.messages) == 100
