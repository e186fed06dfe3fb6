"""*Try*: a phone in the browser, to talk to a line as its callers do."""

import asyncio
import time
from pathlib import Path

from aiohttp import web

from gateway.config import Deployment
from gateway.console.line_files import SeenLine
from gateway.console.phone.record import ended
from gateway.console.phone.relay import relay
from gateway.console.phone.way import PhoneWay
from gateway.console.policy import HEADERS
from gateway.console.rendering import render
from gateway.console.route import Route
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.path_segment import segment

PERMISSIONS = {"Permissions-Policy": HEADERS["Permissions-Policy"].replace("microphone=()", "microphone=(self)")}
"""This page alone gets the microphone."""
NO_WAY = "The phone needs a gateway that serves this console, or a public_url and a streams.key in gateway.yaml."
"""The text for a visitor where no gateway can be reached."""


async def choice(request: web.Request) -> web.Response:
    """Return the page on which a line is chosen."""
    no_way = "" if console_of(request).phone else NO_WAY
    return render(request, "phones.html.j2", lines=sorted(await _lines(request)), no_way=no_way)


async def phone(request: web.Request) -> web.Response:
    """Return the phone for one line; 404 for a line that has no file."""
    console, line = console_of(request), request.match_info["line"]
    seen = (await _lines(request)).get(line)
    if seen is None:
        raise web.HTTPNotFound
    way = _way(request)
    beside = f"/phone/{segment(line)}"
    response = render(
        request,
        "phone.html.j2",
        line=line,
        file=_shown(Path(seen.file), console.deployment),
        mistake=str(seen.errors[0]) if seen.errors else "",
        emulated=way.emulated,
        calls=f"{beside}/calls",
        record="/phone-record/CALL" if console.database is not None else "",
    )
    response.headers.update(PERMISSIONS)
    return response


async def begin(request: web.Request) -> web.Response:
    """Return a new call as JSON: its id, and the path of its stream, which opens once."""
    line = request.match_info["line"]
    if line not in await _lines(request):
        raise web.HTTPNotFound
    granted = _way(request).grant(line, time.time())
    path = f"/phone/{segment(line)}/stream/{granted.token}"
    return web.json_response({"call": granted.call, "path": path})


async def stream(request: web.Request) -> web.StreamResponse:
    """Pass the stream of a call on to the gateway, which checks its token."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPUpgradeRequired
    return await relay(request, _way(request).stream_url(request.match_info["line"], request.match_info["token"]))


async def record(request: web.Request) -> web.Response:
    """Return what the record of a call says, as JSON; 404 until it has the call's end."""
    database = console_of(request).records
    found = await ended(database, request.match_info["call"]) if database is not None else None
    if found is None:
        raise web.HTTPNotFound
    return web.json_response({"path": f"/calls/{segment(found.key)}", "findings": found.findings})


def _way(request: web.Request) -> PhoneWay:
    way = console_of(request).phone
    if way is None:
        raise web.HTTPServiceUnavailable(reason=NO_WAY)
    return way


async def _lines(request: web.Request) -> dict[str, SeenLine]:
    """Return the lines as their files are now, by their names."""
    seen = await asyncio.to_thread(console_of(request).line_files.look)
    return {line.name: line for line in seen.lines}


def _shown(file: Path, deployment: Deployment) -> str:
    folder = deployment.file.resolve().parent.parent
    file = file.resolve()
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)


ROUTES = (
    Route("GET", "/phone", choice, Need.VIEWER),
    Route("GET", "/phone/{line}", phone, Need.LISTENER),
    Route("POST", "/phone/{line}/calls", begin, Need.LISTENER),
    Route("GET", "/phone/{line}/stream/{token}", stream, Need.LISTENER),
    Route("GET", "/phone-record/{call}", record, Need.LISTENER),
)
