"""Lets an HTTP client send a request once: aiohttp repeats a PUT or DELETE whose connection was lost behind it."""

from types import SimpleNamespace
from typing import Any

import aiohttp


def single_try() -> aiohttp.TraceConfig:
    """Return what makes a session fail in place of a second connection for the same request.

    It fails as the first one did, with ``aiohttp.ServerDisconnectedError``. A redirect that is followed counts as a
    second connection.
    """

    async def connect(_session: object, request: SimpleNamespace, _params: Any) -> None:
        if getattr(request, "was_connected", False):
            raise aiohttp.ServerDisconnectedError
        request.was_connected = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(connect)
    trace.on_connection_reuseconn.append(connect)
    return trace
