"""Tokens that prove that a form is ours: another page can send one with the visitor's cookie, but does not know them.

The token is a keyed hash of a random cookie (OWASP, Cross-Site Request Forgery Prevention: signed double submit). The
cookie is that of the session too, once its visitor has signed in.
"""

import hashlib
import hmac
import secrets

from aiohttp import web

from gateway.console.state import console_of

COOKIE, SECURE_COOKIE = "gateway_console", "__Host-gateway_console"
"""The cookie of a visitor; it is random, and says nothing. By TLS no other host and no plain page can set it
(RFC 6265bis, section 4.1.3.2)."""
FIELD = "csrf"
HEADER = "X-CSRF-Token"
_BYTES = 32
_LONGEST = 64
_NEW: web.RequestKey[str] = web.RequestKey("cookie", str)


def brought_cookie(request: web.Request) -> str:
    """Return the cookie that a request has brought; empty for none."""
    return request.cookies.get(_name(request), "")[:_LONGEST]


def cookie_of(request: web.Request) -> str:
    """Return the value of a visitor's cookie; a new one for who has none."""
    if _NEW in request:
        return str(request[_NEW])
    if found := brought_cookie(request):
        return found
    request[_NEW] = secrets.token_urlsafe(_BYTES)
    return str(request[_NEW])


def renew_cookie(request: web.Request, response: web.StreamResponse) -> str:
    """Give a visitor a new cookie in place of any other, and return it."""
    request[_NEW] = secrets.token_urlsafe(_BYTES)
    set_cookie(request, response)
    return str(request[_NEW])


def set_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Give the cookie to a visitor who had none, if the answer has the token in it."""
    if value := request.get(_NEW):
        is_secure = console_of(request).deployment.console.is_secure
        response.set_cookie(_name(request), value, httponly=True, samesite="Lax", secure=is_secure, path="/")


def token_of(request: web.Request) -> str:
    """Return the token that the forms of a page need."""
    return hmac.new(console_of(request).key, cookie_of(request).encode(), hashlib.sha256).hexdigest()


async def is_ours(request: web.Request) -> bool:
    """Return whether a request that changes something brings the token of its visitor."""
    if not brought_cookie(request):
        return False
    brought = request.headers.get(HEADER)
    if brought is None:
        form = await request.post()
        field = form.get(FIELD, "")
        brought = field if isinstance(field, str) else ""
    return hmac.compare_digest(brought.encode("utf-8", "replace"), token_of(request).encode())


def _name(request: web.Request) -> str:
    return SECURE_COOKIE if console_of(request).deployment.console.is_secure else COOKIE
