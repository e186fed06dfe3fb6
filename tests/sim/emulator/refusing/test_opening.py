from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from gateway.sim.emulator import Emulator
from tests.sim.emulator.wire import Wire, scripted, url


@asynccontextmanager
async def refusing(refuse: Any) -> AsyncIterator[tuple[Emulator, aiohttp.ClientSession]]:
    """An emulator with these refusals, and a client."""
    async with (
        Emulator(scripted({"say": "A"}, refuse=refuse)) as emulator,
        aiohttp.ClientSession(headers={"api-key": "any"}) as http,
    ):
        yield emulator, http


async def test_a_model_that_the_region_lacks() -> None:
    """The handshake succeeds, an error comes in place of the session, and the connection is closed."""
    async with refusing({"models": ["gpt-realtime*"]}) as (emulator, http):
        async with http.ws_connect(url(emulator, "gpt-realtime-2")) as socket:
            wire = Wire(socket)
            error = await wire.error()
            assert (error["code"], error["param"]) == ("invalid_model", None)
            assert error["message"] == "Model gpt-realtime-2 is not supported in this region."
            assert await wire.closed() == 1008
        async with http.ws_connect(url(emulator, "gpt-4.1")) as socket:
            await Wire(socket).until("session.created")


async def test_a_profile_that_is_not_known() -> None:
    """``invalid_profile`` comes as an error event."""
    async with refusing({}) as (emulator, http), http.ws_connect(url(emulator, profile="byom-other")) as socket:
        assert (await Wire(socket).error())["code"] == "invalid_profile"
    known = "byom-azure-openai-realtime"
    async with refusing({}) as (emulator, http), http.ws_connect(url(emulator, profile=known)) as socket:
        await Wire(socket).until("session.created")


@pytest.mark.parametrize(("then", "code"), [("close", 1008), ("reset", 1006), ("stay", None)])
async def test_an_error_of_the_script_in_place_of_the_session(then: str, code: int | None) -> None:
    """A quota that is used up, on the first connection alone."""
    rule = {"code": "rate_limit_exceeded", "type": "too_many_requests", "message": "Slow down.", "connections": [1]}
    async with refusing({"opening": [{**rule, "then": then}]}) as (emulator, http):
        async with http.ws_connect(url(emulator)) as socket:
            wire = Wire(socket)
            error = await wire.error()
            assert (error["type"], error["code"], error["message"]) == (
                "too_many_requests",
                "rate_limit_exceeded",
                "Slow down.",
            )
            if code is None:
                await wire.update()
            else:
                assert await wire.closed() == code
        async with http.ws_connect(url(emulator)) as socket:
            await Wire(socket).until("session.created")
