"""*A call*: its picture, words, acts and figures, why it went so, and its record as a file."""

from aiohttp import web

from gateway.console import wording
from gateway.console.access.audit import audit
from gateway.console.rendering import render
from gateway.console.route import Route, visitor_of
from gateway.console.seen_call import seen_call, title_of, usage_of, without_words
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.errors import InputError
from gateway.path_segment import segment
from gateway.records.search import read_call
from gateway.records.stored_call import StoredCall, document
from gateway.report.view import view
from gateway.text import json_bytes


async def call(request: web.Request) -> web.Response:
    """Return the page."""
    may_read = visitor_of(request).may(Need.LISTENER)
    stored = await stored_call_of(request)
    if may_read:
        await audit(request, "read", call=stored.call.call_key)
    shown = seen_call(stored, may_read=may_read)
    words, tone = wording.end_of(stored.call)
    return render(
        request,
        "call.html.j2",
        stored=stored,
        title=title_of(stored.call),
        end=words,
        tone=tone,
        here=f"/calls/{segment(stored.call.call_key)}",
        usage=usage_of(stored),
        **view(shown),
    )


async def record(request: web.Request) -> web.Response:
    """Return ``call.json``, as a file."""
    stored = await stored_call_of(request)
    name = f"{stored.call.call_key}.json"
    if visitor_of(request).may(Need.LISTENER):
        await audit(request, "downloaded", call=stored.call.call_key)
    return web.Response(
        body=json_bytes(document(stored)) + b"\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{segment(name)}"'},
    )


async def stored_call_of(request: web.Request) -> StoredCall:
    """Return the call that the path names, as the visitor may see it; 404 where there is none."""
    database = console_of(request).records
    if database is None:
        raise web.HTTPNotFound
    try:
        stored = await read_call(database, request.match_info["call"])
    except InputError:
        raise web.HTTPNotFound from None
    return stored if visitor_of(request).may(Need.LISTENER) else without_words(stored)


ROUTES = (
    Route("GET", "/calls/{call}", call, Need.VIEWER),
    Route("GET", "/calls/{call}/call.json", record, Need.VIEWER),
)
