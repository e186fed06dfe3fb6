"""*Now*: the calls in progress."""

from aiohttp import web

from gateway.console.rendering import render
from gateway.console.route import Route
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.records.search import find_calls
from gateway.records.wanted import Wanted

SHOWN = 200


async def now(request: web.Request) -> web.Response:
    """Return the page."""
    database = console_of(request).records
    calls = [] if database is None else await find_calls(database, Wanted(state="running"), SHOWN)
    return render(request, "now.html.j2", calls=calls, has_records=database is not None)


ROUTES = (Route("GET", "/", now, Need.VIEWER),)
