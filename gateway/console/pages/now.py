"""*Now*: the calls in progress as they go on, capacity and health, and what an operator does with a call."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress

from aiohttp import web

from gateway.console.access.audit import audit
from gateway.console.events import event, event_stream
from gateway.console.pages.overview import overview
from gateway.console.rendering import fragment, render
from gateway.console.route import Route, visitor_of
from gateway.console.state import Console, console_of
from gateway.console.visitors import Need
from gateway.live.messages import LiveCall, OrderFor

PERIOD_S = 0.5
"""Seconds between two events of a page, at least."""
ALIVE_S = 15.0
DONE = {
    "ended": "The call was ended.",
    "transferred": "The call is being transferred.",
    "gone": "Nothing was done: the call is over, or cannot be transferred now.",
}


async def now(request: web.Request) -> web.Response:
    """Return the page as it is at this moment; it asks for what changes."""
    console = console_of(request)
    async with console.watch.looking():
        return render(
            request,
            "now.html.j2",
            calls=console.watch.calls,
            overview=overview(console.watch.about),
            done=DONE.get(request.query.get("done", ""), ""),
        )


async def changes(request: web.Request) -> web.StreamResponse:
    """Send what changes on the page, as server-sent events, until it is closed."""
    console, visitor = console_of(request), visitor_of(request)
    if visitor.may(Need.LISTENER):
        await audit(request, "watched")
    response = await event_stream(request)
    rows = _Rows(hears=visitor.may(Need.LISTENER), operates=visitor.may(Need.OPERATOR))
    shown: dict[str, str] = {}
    with suppress(ConnectionResetError):
        async with console.watch.looking() as changed:
            while True:
                changed.clear()
                if new := _new(rows.parts(console), shown):
                    await response.write(event(json.dumps(new)))
                await asyncio.sleep(PERIOD_S)
                try:
                    async with asyncio.timeout(ALIVE_S):
                        await changed.wait()
                except TimeoutError:
                    await response.write(b": alive\n\n")
    return response


class _Rows:
    """The rows of calls for one page; a call that has not changed is not rendered again."""

    def __init__(self, *, hears: bool, operates: bool) -> None:
        self._may = {"hears": hears, "operates": operates}
        self._made: dict[str, tuple[LiveCall, str]] = {}

    def parts(self, console: Console) -> dict[str, str]:
        """Return the parts of the page by their ids."""
        made = {}
        for call in console.watch.calls:
            known = self._made.get(call.key)
            if known is None or known[0] != call:
                known = call, fragment("live_call.html.j2", call=call, **self._may)
            made[call.key] = known
        self._made = made
        rows = {f"call {key}": text for key, (_, text) in made.items()}
        return {**rows, "overview": fragment("overview.html.j2", overview=overview(console.watch.about))}


def _new(parts: Mapping[str, str], shown: dict[str, str]) -> dict[str, str | None]:
    """Return the parts that have changed, ``None`` for one that is gone, and note them in ``shown``."""
    new: dict[str, str | None] = {name: text for name, text in parts.items() if shown.get(name) != text}
    new |= dict.fromkeys(shown.keys() - parts.keys())
    shown.clear()
    shown.update(parts)
    return new


async def end(request: web.Request) -> web.Response:
    """End a call."""
    return await _ordered(request, "ended", target="")


async def transfer(request: web.Request) -> web.Response:
    """Transfer a call to a target of its line."""
    form = await request.post()
    target = form.get("target")
    if not isinstance(target, str) or not target:
        raise web.HTTPBadRequest
    return await _ordered(request, "transferred", target=target)


async def _ordered(request: web.Request, done: str, *, target: str) -> web.Response:
    form = await request.post()
    provider, call_id = form.get("provider"), form.get("call_id")
    if not isinstance(provider, str) or not isinstance(call_id, str):
        raise web.HTTPBadRequest
    carried_out = await console_of(request).watch.order(OrderFor(provider, call_id, target))
    if carried_out:
        await audit(request, "transferred" if target else "ended", call=f"{provider}/{call_id}", detail=target)
    raise web.HTTPSeeOther(f"/?done={done if carried_out else 'gone'}")


ROUTES = (
    Route("GET", "/", now, Need.VIEWER),
    Route("GET", "/now/changes", changes, Need.VIEWER),
    Route("POST", "/calls/end", end, Need.OPERATOR),
    Route("POST", "/calls/transfer", transfer, Need.OPERATOR),
)
