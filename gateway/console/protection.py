"""Refuses what other pages ask for in a visitor's name, and what comes under another name than the console's.

A name that is no loopback name may point here by a trick (DNS rebinding), so that a page from elsewhere counts as ours.
"""

from collections.abc import Callable
from time import monotonic
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import hdrs, web
from sqlalchemy.exc import SQLAlchemyError

from gateway.config.console.console import is_loopback
from gateway.console import forms
from gateway.console.access.access import Access
from gateway.console.policy import protect
from gateway.console.route import Handler, Route, admit
from gateway.console.state import console_of
from gateway.console.visitors import NOBODY, Need, Visitor
from gateway.records.store.failures import DatabaseError
from gateway.routes.refusing.flood import Flood

log = structlog.get_logger()

SAFE_SITES = ("same-origin", "none")
"""``Sec-Fetch-Site`` of requests that our own pages make, or the person at the browser."""
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Headers of a proxy, which lets others in."""


class Guard:
    """Lets requests through to a route, or refuses them; logs refusals unless they are part of a flood.

    ``on_refusal`` gets the reason of each.
    """

    def __init__(self, access: Access, on_refusal: Callable[[str], None]) -> None:
        self._access = access
        self._on_refusal = on_refusal
        self._flood: Flood[str] = Flood()

    def guarded(self, route: Route) -> Handler:
        """Return the handler of a route for the router, which asks first whether a request may come to it."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visitor = self._access.visitor(request)
            admit(request, visitor)
            if not visitor.may(route.need):
                return self._not_allowed(request, visitor, route.need)
            if route.method == "POST" and not await forms.is_ours(request):
                return self._refused(request, 403, "no_token", "The form is too old: go back and load its page again.")
            return await route.handle(request)

        return handle

    def _not_allowed(self, request: web.Request, visitor: Visitor, need: Need) -> web.StreamResponse:
        """Send who has not signed in to sign in, and refuse everybody else."""
        if visitor is not NOBODY:
            return self._refused(
                request, 403, "not_allowed", f"This needs the role {need.value}, which you do not have."
            )
        if request.method == "GET" and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
            return web.Response(status=303, headers={hdrs.LOCATION: f"/sign-in?next={quote(request.path, safe='')}"})
        return self._refused(request, 401, "not_signed_in", "Nobody is signed in here.")

    @web.middleware
    async def protected(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what comes from elsewhere; every answer gets its headers."""
        try:
            response = self._refusal(request) or await handler(request)
        except web.HTTPException as answer:
            response = web.Response(status=answer.status, text=f"{answer.reason}\n", headers=_kept(answer))
        except ConnectionResetError:  # who asked is gone
            raise
        except (DatabaseError, SQLAlchemyError) as error:
            log.error("console_without_records", path=request.path[:120], detail=type(error).__name__)
            response = web.Response(status=503, text="The database of the records does not answer.\n")
        except Exception:  # a bug, which ends this request alone
            if request.writer.output_size > 0:  # a part of its answer was sent: nothing else can be said
                raise
            log.exception("console_page_failed", path=request.path[:120])
            response = web.Response(status=500, text="This page failed: the log says why.\n")
        if not response.prepared:
            protect(response.headers)
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        settings = console_of(request).deployment.console
        host = _name(f"//{request.headers.get(hdrs.HOST, '')}")
        is_at_url = settings.url is not None and host == _name(settings.url)
        if not is_at_url and not is_loopback(host):
            where = settings.url or "localhost"
            return self._refused(request, 421, "wrong_host", f"This console is reached as {where} alone.")
        if settings.url is None and any(name in request.headers for name in _FORWARDED):
            return self._refused(request, 403, "forwarded", "This console is not for a proxy: console.url is not set.")
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin not in self._origins(request, settings.url, is_at_url=is_at_url):
            return self._refused(request, 403, "other_origin", "Another page has asked for this.")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in SAFE_SITES and not _is_followed_link(request):
            return self._refused(request, 403, "other_origin", "Another page has asked for this.")
        return None

    @staticmethod
    def _origins(request: web.Request, url: str | None, *, is_at_url: bool) -> tuple[str, ...]:
        """Return the origins of our own pages: that of ``console.url``, or that of the request."""
        if url is not None and is_at_url:
            parts = urlsplit(url)
            return (f"{parts.scheme}://{parts.netloc}",)
        return (f"{request.scheme}://{request.host}",)

    def _refused(self, request: web.Request, status: int, reason: str, text: str) -> web.Response:
        self._on_refusal(reason)
        now = monotonic()
        for kind, count in self._flood.left_out(now):
            log.warning("refusals_left_out", what="console", reason=kind, count=count)
        if self._flood.admits(reason, now):
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
