"""The route of requests that no other takes, as aiohttp's router sees it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.routes.refusing.unrouted import Unrouted

EXPECTED = web.Response(status=417)


async def _expect(_: web.Request) -> web.Response:
    """Answer each expectation."""
    return EXPECTED


def _refuse(_: web.Request, methods: set[str]) -> web.Response:
    return web.Response(status=405 if methods else 404, text=",".join(sorted(methods)))


async def _other(_: web.Request) -> web.Response:
    return web.Response(text="another route")


@pytest.mark.parametrize(
    ("method", "path", "status", "methods"),
    [
        ("POST", "/here", 405, "GET,HEAD,PUT"),
        ("GET", "/nowhere", 404, ""),
        ("BREW", "/", 404, ""),
        ("GET", "/here/and/there", 404, ""),
    ],
)
async def test_what_no_route_takes_is_refused_with_what_its_path_takes(
    method: str, path: str, status: int, methods: str
) -> None:
    """Of all routes of that path, and not of itself."""
    app = web.Application()
    app.router.add_get("/here", _other)
    app.router.add_put("/here", _other)
    unrouted = Unrouted(_refuse, _expect)
    app.router.register_resource(unrouted)
    request = make_mocked_request(method, path, app=app)
    match, _ = await unrouted.resolve(request)
    assert match is not None
    answer = await unrouted._handle(request)
    assert isinstance(answer, web.Response)
    assert (answer.status, answer.text) == (status, methods)
    assert await match.expect_handler(request) is EXPECTED


def test_it_is_no_path_of_its_own() -> None:
    """No other resource is taken for it, it keeps out of lists, and has no address."""
    unrouted = Unrouted(_refuse, _expect)
    assert (unrouted.canonical, unrouted.raw_match("/"), unrouted.get_info()) == ("/", False, {})
    unrouted.add_prefix("/prefix")
    assert unrouted.canonical == "/"
    with pytest.raises(NotImplementedError):
        unrouted.url_for()
