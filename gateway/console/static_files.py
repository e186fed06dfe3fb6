"""Styles and scripts, which are read once: those of the console, and what it shares with the report of a call."""

import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from aiohttp import web
from multidict import CIMultiDict

from gateway import report
from gateway.console.route import Route
from gateway.console.visitors import Need

STATIC = Path(__file__).parent / "static"
SHARED = ("tokens.css", "call.css", "call.js")
"""Files of the report's package."""
KEPT = "no-cache"
"""A browser asks each time whether a file has changed: a new version of the gateway has new ones."""


@cache
def files() -> Mapping[str, bytes]:
    """Return the content of each file, by its path below ``/static/``."""
    found = {str(file.relative_to(STATIC)): file.read_bytes() for file in STATIC.rglob("*") if file.is_file()}
    return found | {name: (Path(report.__file__).parent / name).read_bytes() for name in SHARED}


async def static(request: web.Request) -> web.Response:
    """Return a file; 404 for any other."""
    name = request.match_info["name"]
    content = files().get(name)
    if content is None:
        raise web.HTTPNotFound
    kind, _ = mimetypes.guess_type(name)
    headers = CIMultiDict({"Content-Type": kind or "text/plain; charset=utf-8", "Cache-Control": KEPT})
    return web.Response(body=content, headers=headers)


ROUTES = (Route("GET", "/static/{name:.+}", static, Need.NOTHING),)
