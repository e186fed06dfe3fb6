"""The console as it is served."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp

from gateway.console.application import application
from gateway.console.policy import HEADERS
from gateway.console.table import ROUTES
from tests.console.conftest import console_with, text_of


def test_nothing_is_served_that_states_no_need(tmp_path: Path) -> None:
    """The router has exactly the routes of the table."""
    served = {
        (route.method, route.resource.canonical)
        for route in application(console_with(tmp_path)).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {(route.method, route.path.replace(":.+", "")) for route in ROUTES}


async def test_every_answer_has_the_headers(served: AbstractAsyncContextManager[aiohttp.ClientSession]) -> None:
    """Pages, files, and what is not there; and no header says what serves them."""
    async with served as client:
        for path in ("/", "/static/console.css", "/nowhere"):
            async with client.get(path) as answer:
                own = {"Cache-Control"} if path.startswith("/static/") else set()
                assert {name: answer.headers[name] for name in HEADERS if name not in own} == {
                    name: value for name, value in HEADERS.items() if name not in own
                }
                assert "Server" not in answer.headers


async def test_pages_are_alone_on_their_paths(served: AbstractAsyncContextManager[aiohttp.ClientSession]) -> None:
    """Anything else is 404, or 405 with the method that there is."""
    async with served as client:
        await text_of(client, "/nowhere", 404)
        async with client.delete("/") as answer:
            assert answer.status == 405
            assert "GET" in answer.headers["Allow"]
