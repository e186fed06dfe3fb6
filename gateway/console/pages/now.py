"""*Now*: the calls in progress as they go on, capacity and health, and what an operator does with a call."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress

from aiohttp import web

from gateway.console.access.audit import audit
from gateway.console.events import event, event_stream
from gateway.console.rendering import fragment, render
from gateway.console.route import Route, visitor_of
from gateway.console.state import Console, console_of
from gateway.console.visitors import Need
from gateway.live.messages import LiveCall, OrderFor, Outcome
from gateway.live.overview import overview
from gateway.live.watch import Watch

PERIOD_S = 0.5
"""Seconds between two events of a page, at least."""
ALIVE_S = 15.0
DONE = {
    "ended": "The call was ended.",
    "transferred": "The call is being transferred.",
    "unknown": "The gateway did not answer: whether anything was done is not known.",
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
            gateways=_gateways(console.watch),
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
            known = self._made.get(call.place)
            if known is None or known[0] != call:
                known = call, fragment("live_call.html.j2", call=call, **self._may)
            made[call.place] = known
        self._made = made
        rows = {f"call {key}": text for key, (_, text) in made.items()}
        return {**rows, "overview": fragment("overview.html.j2", gateways=_gateways(console.watch))}


def _gateways(watch: Watch) -> list[dict[str, object]]:
    return [{"name": one.name, "failure": one.failure, "overview": overview(one.about)} for one in watch.gateways]


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
    provider, call_id, gateway = form.get("provider"), form.get("call_id"), form.get("gateway", "")
    if not isinstance(provider, str) or not isinstance(call_id, str) or not isinstance(gateway, str):
        raise web.HTTPBadRequest
    ordered = _carried_out(request, OrderFor(provider, call_id, target), gateway)
    task = asyncio.ensure_future(ordered)  # noqa: TID251 -- it is awaited here in any case
    try:
        outcome = await asyncio.shield(task)
    finally:
        await task  # whoever closes the page meanwhile has ordered it all the same, and is in the audit
    raise web.HTTPSeeOther(f"/?done={ {Outcome.DONE: done, Outcome.UNKNOWN: 'unknown'}.get(outcome, 'gone') }")


async def _carried_out(request: web.Request, order: OrderFor, gateway: str) -> Outcome:
    outcome = await console_of(request).watch.order(order, gateway)
    if outcome is not Outcome.REFUSED:
        call = f"{order.provider}/{order.call_id}"
        await audit(request, "transferred" if order.target else "ended", call=call, detail=order.target)
    return outcome


ROUTES = (
    Route("GET", "/", now, Need.VIEWER),
    Route("GET", "/now/changes", changes, Need.VIEWER),
    Route("POST", "/calls/end", end, Need.OPERATOR),
    Route("POST", "/calls/transfer", transfer, Need.OPERATOR),
)
