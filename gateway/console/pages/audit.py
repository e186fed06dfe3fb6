"""*Audit*: who heard, read, ended and transferred what, and who signed in."""

from aiohttp import web

from gateway.console.rendering import render
from gateway.console.route import Route
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.records.audit import entries

AT_ONCE = 100


async def page(request: web.Request) -> web.Response:
    """Return the newest entries, or those before one."""
    database = console_of(request).records
    before = request.query.get("before", "")
    found = await entries(database, AT_ONCE + 1, before=before) if database is not None else []
    return render(
        request,
        "audit.html.j2",
        rows=found[:AT_ONCE],
        older=found[AT_ONCE - 1].id if len(found) > AT_ONCE else "",
        has_records=database is not None,
    )


ROUTES = (Route("GET", "/audit", page, Need.OPERATOR),)
