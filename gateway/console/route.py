"""A route of the console, and what it needs: nothing is served that does not state it."""

from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web
from msgspec import Struct

from gateway.console.visitors import NOBODY, Need, Visitor

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_VISITOR: web.RequestKey[Visitor] = web.RequestKey("visitor", Visitor)


class Route(Struct, frozen=True):
    """A page, or something that a page asks for. A POST is refused without the token of its visitor's forms."""

    method: Literal["GET", "POST"]
    path: str
    handle: Handler
    need: Need


def visitor_of(request: web.Request) -> Visitor:
    """Return who makes a request."""
    found: Visitor = request.get(_VISITOR, NOBODY)
    return found


def admit(request: web.Request, visitor: Visitor) -> None:
    """Note who makes a request."""
    request[_VISITOR] = visitor
