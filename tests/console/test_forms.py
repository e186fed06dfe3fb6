"""Tokens of forms; tests/console/test_protection.py shows what they protect."""

from tests.console.conftest import text_of
from tests.console.test_protection import Served


async def test_a_visitor_keeps_one_cookie(served: Served) -> None:
    """It is for HTTP alone and for this site, and each page has the same token."""
    async with served as client:
        async with client.get("/") as answer:
            first = await answer.text()
            cookie = answer.headers["Set-Cookie"]
        async with client.get("/") as answer:
            assert "Set-Cookie" not in answer.headers
            assert _token(await answer.text()) == _token(first)
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        client.cookie_jar.clear()
        assert _token(await text_of(client, "/")) != _token(first)


def _token(page: str) -> str:
    return page.partition('name="csrf" content="')[2].partition('"')[0]
