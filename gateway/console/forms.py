"""Tokens that prove that a form is ours: another page can send one with the visitor's cookie, but does not know them.

The token is a keyed hash of a random cookie (OWASP, Cross-Site Request Forgery Prevention: signed double submit).
"""

import hashlib
import hmac
import secrets

from aiohttp import web

from gateway.console.state import console_of

COOKIE = "gateway_console"
"""The cookie of a visitor; it is random, and says nothing."""
FIELD = "csrf"
HEADER = "X-CSRF-Token"
_BYTES = 32
_NEW: web.RequestKey[str] = web.RequestKey("cookie", str)


def cookie_of(request: web.Request) -> str:
    """Return the value of a visitor's cookie; a new one for who has none."""
    if found := request.cookies.get(COOKIE, ""):
        return found
    if _NEW not in request:
        request[_NEW] = secrets.token_urlsafe(_BYTES)
    return request[_NEW]


def set_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Give the cookie to a visitor who had none, if the answer has the token in it."""
    if value := request.get(_NEW):
        response.set_cookie(COOKIE, value, httponly=True, samesite="Lax", secure=request.scheme == "https", path="/")


def token_of(request: web.Request) -> str:
    """Return the token that the forms of a page need."""
    return hmac.new(console_of(request).key, cookie_of(request).encode(), hashlib.sha256).hexdigest()


async def is_ours(request: web.Request) -> bool:
    """Return whether a request that changes something brings the token of its visitor."""
    if not request.cookies.get(COOKIE):
        return False
    brought = request.headers.get(HEADER)
    if brought is None:
        form = await request.post()
        field = form.get(FIELD, "")
        brought = field if isinstance(field, str) else ""
    return hmac.compare_digest(brought.encode(), token_of(request).encode())
