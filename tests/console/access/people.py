"""A console with people who sign in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from yarl import URL

from gateway.config.console.passwords import hashed
from gateway.console.state import Console, console_for
from tests.console.conftest import browser, console_with, text_of

PASSWORD = "correct horse battery"
HASH = hashed(PASSWORD, 16)
USERS = """console:
  users:
    vera: {password: "${HASH}", roles: [viewer]}
    otto: {password: "${HASH}", roles: [operator]}
    lisa: {password: "${HASH}", roles: [listener]}
"""


def console_of_people(folder: Path, yaml: str = USERS, live: Path | None = None) -> Console:
    """Return a console with a viewer, an operator and a listener, who all have the same password."""
    return console_for(console_with(folder, yaml, {"HASH": HASH}).deployment, live)


def token_in(page: str) -> str:
    """Return the token of a page's forms."""
    (token,) = re.findall(r'name="csrf" content="(\w+)"', page)
    return str(token)


async def sign_in(client: aiohttp.ClientSession, name: str, password: str = PASSWORD) -> int:
    """Sign in, and return the status of the answer."""
    form = {"csrf": token_in(await text_of(client, "/sign-in")), "name": name, "password": password}
    async with client.post("/sign-in", data=form, allow_redirects=False) as answer:
        return answer.status


def url_of(client: aiohttp.ClientSession) -> URL:
    """Return the address of a client's console."""
    assert client._base_url is not None
    return client._base_url


@asynccontextmanager
async def another(client: aiohttp.ClientSession) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield another browser at the same console."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base_url=url_of(client), cookie_jar=jar) as other:
        yield other


__all__ = ["HASH", "PASSWORD", "USERS", "another", "browser", "console_of_people", "sign_in", "token_in", "url_of"]
