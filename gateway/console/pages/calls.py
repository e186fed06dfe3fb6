"""*Calls*: those that were and those that go on, by what is looked for."""

from aiohttp import web

from gateway.addresses import read
from gateway.console import wording
from gateway.console.asked import Asked, asked
from gateway.console.rendering import render
from gateway.console.route import Route, visitor_of
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.records.listing import CallPage, lines_of, page_of
from gateway.records.store.database import Database
from gateway.records.store.number_keys import hashes_of
from gateway.report.ends import SENTENCES

ON_A_PAGE = 50
REASONS = {"running": "in progress", "interrupted": "broke off"} | {
    reason: wording.reason_words(reason) for reason in SENTENCES
}
"""All ends that can be looked for, with their words."""


async def calls(request: web.Request) -> web.Response:
    """Return a page of the list."""
    console, may_read = console_of(request), visitor_of(request).may(Need.LISTENER)
    wanted = asked(request.query, may_read=may_read)
    database = console.records
    page = CallPage(calls=(), total=0) if database is None else await _page(database, wanted)
    return render(
        request,
        "calls.html.j2",
        asked=wanted,
        page=page,
        has_records=database is not None,
        reasons=REASONS,
        lines=[] if database is None else await lines_of(database),
        older=wanted.address("/calls", before=page.older) if page.older else "",
        newer=wanted.address("/calls", after=page.newer) if page.newer else "",
    )


async def _page(database: Database, wanted: Asked) -> CallPage:
    hashes: tuple[str, ...] = ()
    if number := read(wanted.number):
        async with database.read() as connection:
            hashes = tuple(await hashes_of(connection, number))
    return await page_of(database, wanted.wanted(hashes), ON_A_PAGE, after=wanted.after)


ROUTES = (Route("GET", "/calls", calls, Need.VIEWER),)
