"""A session that is opened at one of several endpoints."""

import asyncio

import pytest

from gateway.voice.bot import Model
from gateway.voice.endpoints.circuit import Circuit
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.pooled import PooledVoiceLive, Single, service_of
from gateway.voice.events import VoiceClosed, VoiceEnd
from gateway.voice.opening import Opened, Opening
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceRefusedError, VoiceUnreachableError
from tests.fakes import FakeSocket
from tests.virtual_time import virtual_time
from tests.voice.endpoints.pools import At, pooled
from tests.voice.negotiation.session import SESSION
from tests.voice.test_opening import error, ready

MODEL, OTHER = Model("gpt-realtime"), Model("gpt-4.1-mini")
FULL = VoiceRefusedError("too many", status=429, passes=True, retry_after_s=30)
GONE = VoiceUnreachableError("cannot be reached")
WEST, EAST = Endpoint("west"), Endpoint("east", priority=2)


async def opening(held: PooledVoiceLive, *models: Model) -> Opened | VoiceClosed:
    """What comes of one opening."""
    return await Opening(held, [Proposal(one, SESSION) for one in models or (MODEL,)]).run()


def circuits(held: PooledVoiceLive) -> dict[str, Circuit]:
    """The circuits at present."""
    return {one.name: one.circuit for one in held.pool.shown(asyncio.get_running_loop().time())}


@virtual_time
async def test_refused_by_the_first_the_second_opens_at_once() -> None:
    """Without the pause of a single endpoint; the next call begins with the second."""
    west = At("west", FULL)
    east = At("east", FakeSocket(ready(**SESSION)), FakeSocket(ready(**SESSION)))
    held = pooled((WEST, west), (EAST, east))
    begun = asyncio.get_running_loop().time()
    opened = await opening(held)
    assert isinstance(opened, Opened)
    assert opened.lease.name == "east"
    assert asyncio.get_running_loop().time() == begun
    assert circuits(held) == {"west": Circuit.OPEN, "east": Circuit.CLOSED}
    assert isinstance(await opening(held), Opened)
    assert (len(west.asked), len(east.asked)) == (1, 2)


@virtual_time
async def test_the_session_counts_until_it_is_over() -> None:
    """The lease gives it back, once."""
    held = pooled((WEST, At("west", FakeSocket(ready(**SESSION)))))
    opened = await opening(held)
    assert isinstance(opened, Opened)
    now = asyncio.get_running_loop().time()
    assert held.pool.shown(now)[0].sessions == 1
    opened.lease.end()
    opened.lease.end()
    assert held.pool.shown(now)[0].sessions == 0


@virtual_time
async def test_where_all_refuse_the_last_is_tried_once_more() -> None:
    """As a single endpoint is; then no session comes about, and all circuits are open."""
    west, east = At("west", FULL), At("east", FULL, FULL)
    held = pooled((WEST, west), (EAST, east))
    closed = await opening(held)
    assert closed == VoiceClosed(VoiceEnd.REFUSED, "too many", passes=True)
    assert set(circuits(held).values()) == {Circuit.OPEN}


@virtual_time
async def test_an_endpoint_that_does_not_answer_leaves_time_for_the_next() -> None:
    """The connect time-out is shared by those that are left."""
    west, east = At("west", 5.0, GONE), At("east", FakeSocket(ready(**SESSION)))
    held = pooled((WEST, west), (EAST, east))
    assert isinstance(await opening(held), Opened)
    assert (west.limits, east.limits) == ([5.0], [5.0])


@virtual_time
async def test_when_the_time_for_connecting_is_over_no_other_is_tried() -> None:
    """The caller waits no longer than for one endpoint."""
    west, east = At("west", 10.0, GONE), At("east")
    held = pooled((WEST, west), (EAST, east))
    assert await opening(held) == VoiceClosed(VoiceEnd.UNREACHABLE, "cannot be reached")
    assert east.asked == []


@virtual_time
async def test_a_model_that_one_endpoint_lacks_is_asked_for_at_the_next() -> None:
    """Before another model is; it is no failure of the endpoint, and the next call knows."""
    missing = VoiceRefusedError("no such model", status=404)
    west = At("west", missing, FakeSocket(ready(**SESSION)))
    east = At("east", FakeSocket(ready(**SESSION)), FakeSocket(ready(**SESSION)))
    held = pooled((WEST, west), (EAST, east))
    opened = await opening(held, MODEL, OTHER)
    assert isinstance(opened, Opened)
    assert (opened.lease.name, opened.proposal.answering) == ("east", MODEL)
    assert circuits(held)["west"] is Circuit.CLOSED


@virtual_time
async def test_a_refused_session_goes_to_the_next_endpoint_with_what_was_learnt_kept_apart() -> None:
    """What one endpoint refuses, another is still asked for: the memory is by endpoint."""
    refused = [error(number, code="session_error") for number in (1, 2, 3)]
    west = At("west", FakeSocket(*refused), FakeSocket(*refused))
    east_socket = FakeSocket(ready(**SESSION))
    held = pooled((WEST, west), (EAST, At("east", east_socket)))
    opened = await opening(held)
    assert isinstance(opened, Opened)
    assert (opened.lease.name, opened.left_out) == ("east", ())


@virtual_time
async def test_a_model_has_another_name_at_an_endpoint() -> None:
    """The endpoint that lacks it is not asked."""
    west = At("west")
    east = At("east", FakeSocket(ready(**SESSION)))
    here = Endpoint("west", models={"gpt-4.1": "gpt-4.1"})
    held = pooled((here, west), (Endpoint("east", models={"gpt-realtime": "realtime-east"}), east))
    assert isinstance(await opening(held), Opened)
    assert (west.asked, east.asked) == ([], [Model("realtime-east")])


@virtual_time
async def test_no_connection_is_made_beyond_the_quota() -> None:
    """The call is told why."""
    west = At("west", FakeSocket(ready(**SESSION)))
    held = pooled((Endpoint("west", sessions_per_minute=1), west))
    assert isinstance(await opening(held), Opened)
    closed = await opening(held)
    assert closed == VoiceClosed(VoiceEnd.REFUSED, "the quota of every Voice Live endpoint is used up", passes=True)
    assert len(west.asked) == 1


@virtual_time
async def test_a_call_that_ends_while_it_connects_gives_its_session_back() -> None:
    """Cancelled as a call's task is."""
    held = pooled((WEST, At("west", 60.0, GONE)))
    async with asyncio.TaskGroup() as group:
        connecting = group.create_task(opening(held))
        await asyncio.sleep(1)
        assert held.pool.shown(0)[0].sessions == 1
        connecting.cancel()
    assert held.pool.shown(0)[0].sessions == 0


@pytest.mark.parametrize("tried", [(), ("",)])
def test_a_single_service_is_tried_once(tried: tuple[str, ...]) -> None:
    """Nothing is counted for it."""
    only = At("west")
    single = service_of(only)
    lease = single.lease(MODEL, tried)
    assert (lease is None) == bool(tried)
    assert service_of(single) is single
    assert isinstance(single, Single)
    assert (single.others(MODEL, ()), single.where(MODEL), single.lacking(MODEL)) == (0, (only,), "")
