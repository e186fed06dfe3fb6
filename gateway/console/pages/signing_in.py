"""The pages on which people sign in and out: by a password, or by OpenID Connect."""

from aiohttp import web

from gateway.console import forms
from gateway.console.access.access import access_of
from gateway.console.access.audit import address_of, audit
from gateway.console.access.openid import RefusedSignInError
from gateway.console.rendering import render
from gateway.console.route import Route, visitor_of
from gateway.console.visitors import NOBODY, Need

LONGEST_NAME = 200
WRONG = "Name or password is wrong."
TOO_MANY = "There were too many attempts. Wait a quarter of an hour."


async def page(request: web.Request) -> web.Response:
    """Return the page; who is signed in already goes on."""
    if visitor_of(request) is not NOBODY:
        raise web.HTTPSeeOther(_next(request.query.get("next", "")))
    return _page(request)


async def by_password(request: web.Request) -> web.Response:
    """Sign somebody in by name and password."""
    form, access = await request.post(), access_of(request)
    name, password = form.get("name", ""), form.get("password", "")
    if not isinstance(name, str) or not isinstance(password, str) or not access.has_passwords:
        raise web.HTTPBadRequest
    name, address = name[:LONGEST_NAME], address_of(request)
    if not access.may_try(name, address):
        await audit(request, "sign_in_failed", who=name, detail="too many attempts")
        return _page(request, TOO_MANY, status=429)
    visitor = await access.checked(name, password, address)
    if visitor is None:
        await audit(request, "sign_in_failed", who=name, detail="password")
        return _page(request, WRONG, status=403)
    next_path = form.get("next", "")
    response = web.Response(status=303, headers={"Location": _next(next_path if isinstance(next_path, str) else "")})
    access.sign_in(request, response, visitor)
    await audit(request, "signed_in", who=visitor.name, detail="password")
    return response


async def begin_openid(request: web.Request) -> web.Response:
    """Send somebody to the issuer."""
    openid = access_of(request).openid
    if openid is None:
        raise web.HTTPNotFound
    cookie = forms.cookie_of(request)
    try:
        url = await openid.begin(cookie, _next(request.query.get("next", "")))
    except RefusedSignInError as error:
        return await _refused(request, error)
    response = web.Response(status=303, headers={"Location": url})
    forms.set_cookie(request, response)
    return response


async def end_openid(request: web.Request) -> web.Response:
    """Take somebody back from the issuer."""
    access = access_of(request)
    if access.openid is None:
        raise web.HTTPNotFound
    try:
        visitor, next_path = await access.openid.end(forms.brought_cookie(request), request.query)
    except RefusedSignInError as error:
        return await _refused(request, error)
    response = web.Response(status=303, headers={"Location": next_path})
    access.sign_in(request, response, visitor)
    await audit(request, "signed_in", who=visitor.name, detail="openid")
    return response


async def sign_out(request: web.Request) -> web.Response:
    """End the session."""
    await audit(request, "signed_out")
    response = web.Response(status=303, headers={"Location": "/sign-in"})
    access_of(request).sign_out(request, response)
    return response


def _page(request: web.Request, problem: str = "", *, status: int = 200) -> web.Response:
    access = access_of(request)
    return render(
        request,
        "sign_in.html.j2",
        status=status,
        problem=problem,
        has_passwords=access.has_passwords,
        has_openid=access.openid is not None,
        next=_next(request.query.get("next", "")),
    )


async def _refused(request: web.Request, error: RefusedSignInError) -> web.Response:
    await audit(request, "sign_in_failed", who=error.who, detail=str(error))
    return _page(request, error.shown, status=403)


def _next(path: str) -> str:
    """Return the path to which somebody goes on: one of ours, whatever the address says."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if is_ours else "/"


ROUTES = (
    Route("GET", "/sign-in", page, Need.NOTHING),
    Route("POST", "/sign-in", by_password, Need.NOTHING),
    Route("GET", "/sign-in/openid", begin_openid, Need.NOTHING),
    Route("GET", "/sign-in/openid/done", end_openid, Need.NOTHING),
    Route("POST", "/sign-out", sign_out, Need.VIEWER),
)
