"""A provider's REST API, simulated on 127.0.0.1: it carries out the gateway's requests and keeps them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from gateway.errors import GatewayError


@dataclass(frozen=True)
class ApiRequest:
    """A request of the gateway; ``match`` are the variable parts of the route's path, header names are in lower case.

    ``body`` is what it sent; ``data`` the same read as JSON, or as the fields of a form; empty where it is neither.
    """

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    data: Mapping[str, Any]
    match: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ApiResponse:
    """The provider's answer; ``data`` is sent as JSON, ``None`` as an empty body."""

    status: int = 200
    data: object = None


class ApiRefusal(Exception):  # noqa: N818 -- an answer of the provider, not a failure of this program
    """A refusal, raised by a route: the request is answered with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


ApiRoute = Callable[[ApiRequest], ApiResponse | Awaitable[ApiResponse]]


class SimulatedApi:
    """The server; made by :meth:`serving`. ``url`` is what the gateway is configured with instead of the provider's.

    A call adds its routes with :meth:`on` and takes them away with :meth:`off`; what no route takes is answered with
    404. All requests are kept in ``requests``, those without a route in ``unexpected`` as well.
    """

    def __init__(self) -> None:
        self.url = ""
        self.transfer_refusal: int | None = None
        """The status with which transfers are refused, as long as it is set; the call then goes on as it was."""
        self.requests: list[ApiRequest] = []
        self.unexpected: list[ApiRequest] = []
        self._routes: dict[tuple[str, str], ApiRoute] = {}
        self._came = asyncio.Event()
        self._server: web.Server | None = None

    @classmethod
    @asynccontextmanager
    async def serving(cls) -> AsyncIterator["SimulatedApi"]:
        """Listen on a free port until the block ends."""
        api = cls()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", api._take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        api._server = runner.server
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield api
        finally:
            await runner.cleanup()

    @property
    def connections(self) -> int:
        """The number of connections that clients keep open."""
        return len(self._server.connections) if self._server is not None else 0

    def on(self, method: str, path: str, route: ApiRoute) -> None:
        """Answer requests to ``path``, in which ``{name}`` stands for one part; the last one set for a path counts."""
        self._routes[method, path] = route

    def off(self, method: str, path: str) -> None:
        """Answer them no longer."""
        self._routes.pop((method, path), None)

    async def requested(self, method: str, path: str, *, timeout_s: float = 10.0) -> ApiRequest:
        """Return the first request to ``path`` (``{name}`` as in :meth:`on`), now or later; else ``GatewayError``."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for request in self.requests:
                        if request.method == method and _match(path, request.path) is not None:
                            return request
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise GatewayError(
                f"the gateway did not ask for {method} {self.url}{path} within {timeout_s:g} s"
            ) from None

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        data = dict(await request.post()) if request.content_type == _FORM else _json(body)
        route, match = self._route(request.method, request.path)
        taken = ApiRequest(
            at=asyncio.get_running_loop().time(),
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            data=data,
            match=match,
        )
        self.requests.append(taken)
        self._came.set()
        if route is None:
            self.unexpected.append(taken)
            return web.Response(status=404)
        try:
            answer = route(taken)
            response = await answer if isinstance(answer, Awaitable) else answer
        except ApiRefusal as refusal:
            response = ApiResponse(refusal.status)
        if response.data is None:
            return web.Response(status=response.status)
        return web.json_response(response.data, status=response.status)

    def _route(self, method: str, path: str) -> tuple[ApiRoute | None, dict[str, str]]:
        for (of_method, of_path), route in self._routes.items():
            if of_method == method and (match := _match(of_path, path)) is not None:
                return route, match
        return None, {}


_FORM = "application/x-www-form-urlencoded"


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _match(pattern: str, path: str) -> dict[str, str] | None:
    """Return the variable parts of ``path``, ``None`` for another path; ``{id}:terminate`` may have text around."""
    expected, given = pattern.split("/"), path.split("/")
    if len(expected) != len(given):
        return None
    found = {}
    for want, part in zip(expected, given, strict=True):
        before, brace, rest = want.partition("{")
        name, _, after = rest.partition("}")
        if not brace:
            if want != part:
                return None
        elif part.startswith(before) and part.endswith(after) and len(part) > len(before) + len(after):
            found[name] = part[len(before) : len(part) - len(after) or None]
        else:
            return None
    return found
