"""Refuses what other pages ask for in a visitor's name, and what comes under another name than the console's.

A name that is no loopback name may point here by a trick (DNS rebinding), so that a page from elsewhere counts as ours.
"""

import time
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web

from gateway.config.console.console import is_loopback
from gateway.console import forms
from gateway.console.policy import protect
from gateway.console.route import Handler, Route, admit
from gateway.console.visitors import LOCAL
from gateway.routes.refusing.flood import Flood

log = structlog.get_logger()

SAFE_SITES = ("same-origin", "none")
"""``Sec-Fetch-Site`` of requests that our own pages make, or the person at the browser."""
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Headers of a proxy, which lets others in."""


class Guard:
    """Lets requests through to a route, or refuses them; logs refusals unless they are part of a flood."""

    def __init__(self) -> None:
        self._flood: Flood[str] = Flood()

    def guarded(self, route: Route) -> Handler:
        """Return the handler of a route for the router, which asks first whether a request may come to it."""

        async def handle(request: web.Request) -> web.StreamResponse:
            admit(request, LOCAL)
            if route.method == "POST" and not await forms.is_ours(request):
                return self._refused(request, 403, "no_token", "The form is too old: go back and load its page again.")
            return await route.handle(request)

        return handle

    @web.middleware
    async def protected(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what comes from elsewhere; every answer gets its headers."""
        try:
            response = self._refusal(request) or await handler(request)
        except web.HTTPException as answer:
            response = web.Response(status=answer.status, text=f"{answer.reason}\n", headers=_kept(answer))
        if not response.prepared:
            protect(response.headers)
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        host = _name(f"//{request.headers.get(hdrs.HOST, '')}")
        if not is_loopback(host):
            return self._refused(request, 421, "wrong_host", "This console is reached as localhost alone.")
        if any(name in request.headers for name in _FORWARDED):
            return self._refused(
                request, 403, "forwarded", "This console is open to this machine alone, not to a proxy."
            )
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin != f"{request.scheme}://{request.host}":
            return self._refused(request, 403, "other_origin", "Another page has asked for this.")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in SAFE_SITES and not _is_followed_link(request):
            return self._refused(request, 403, "other_origin", "Another page has asked for this.")
        return None

    def _refused(self, request: web.Request, status: int, reason: str, text: str) -> web.Response:
        if self._flood.admits(reason, time.monotonic()):
            log.warning("console_refused", reason=reason, method=request.method, path=request.path[:120])
        return web.Response(status=status, text=f"{text}\n")


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_followed_link(request: web.Request) -> bool:
    """Return whether somebody follows a link to a page, which changes nothing, and which the other page cannot read."""
    headers = request.headers
    is_page = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    return is_page and request.method == "GET"


def _kept(answer: web.HTTPException) -> dict[str, str]:
    return {name: answer.headers[name] for name in (hdrs.LOCATION, hdrs.ALLOW) if name in answer.headers}
