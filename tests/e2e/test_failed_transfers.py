"""Transfers that a provider accepts and takes back later: Azure Communication Services tells so beside the stream."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import ApiResponse
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, instant
from tests.virtual_time import virtual_time

NUMBER = "+14255550100"
LINES = {"support": f'{LINE}transfers: {{desk: "+14255550199"}}\non_key: {{"1": {{transfer: desk}}}}\n'}


def connection(call_id: str) -> str:
    """Its path in the REST API."""
    return f"/calling/callConnections/{call_id}"


@asynccontextmanager
async def accepted(folder: Path) -> AsyncIterator[tuple[Exchange, SimulatedPhone, str]]:
    """A call that ACS has agreed to transfer; the text is its id."""
    async with exchange(folder, ["acs"], LINES, instant({"say": "Yes."})) as held, held.call("acs", NUMBER) as phone:
        await held.told("support", "session_ready")
        transfer = f"{connection(phone.call_id)}:transferToParticipant"
        held.apis["acs"].on("POST", transfer, lambda _: ApiResponse(202, {}))
        await phone.press("1")
        await held.told("support", "transferred")
        yield held, phone, phone.call_id


async def tell_failure(held: Exchange, call_id: str) -> int:
    """Post the event as ACS does; returns the status of the answer."""
    event = {"type": "Microsoft.Communication.CallTransferFailed", "data": {"callConnectionId": call_id}}
    secret = held.accounts["acs"].secrets["stream_secret"]
    async with aiohttp.ClientSession() as http:
        url = f"{held.url}/status/acs"
        async with http.post(url, params={"secret": secret}, data=json.dumps([event])) as said:
            return said.status


@virtual_time
async def test_a_transfer_that_fails_later_goes_on_with_the_call(tmp_path: Path) -> None:
    """The caller has not left: the model is told, and speaks."""
    async with accepted(tmp_path) as (held, phone, call_id):
        assert await tell_failure(held, call_id) == 204
        failed = await held.told("support", "transfer_failed")
        assert failed == {"target": "desk", "detail": "acs says CallTransferFailed"}
        await held.told("support", "reply_started", 2)
        assert not phone.closed.is_set()


@virtual_time
async def test_a_transfer_that_fails_after_the_stream_ends_the_call(tmp_path: Path) -> None:
    """Nobody has taken the caller, and no stream is left to speak on. A call that ended otherwise is left alone."""
    async with accepted(tmp_path) as (held, phone, call_id):
        await phone.closed.wait()
        end = await held.told("support", "call_ended")
        assert end["reason"] == "transferred"
        assert await tell_failure(held, "another") == 204
        assert await tell_failure(held, call_id) == 204
        terminated = [request.path for request in held.apis["acs"].requests if request.path.endswith(":terminate")]
        assert terminated == [f"{connection(call_id)}:terminate"]
