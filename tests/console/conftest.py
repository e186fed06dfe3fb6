"""A console that is served, with calls in its database."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.config import load_deployment
from gateway.console.application import console_listening
from gateway.console.state import Console, console_for
from gateway.records.rows import Row
from gateway.records.store.database import Database
from tests.records.kept import keep


@asynccontextmanager
async def browser(console: Console) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve a console, and yield a client that keeps cookies, as a browser does."""
    async with console_listening(console, "127.0.0.1", 0) as url:
        jar = aiohttp.CookieJar(unsafe=True)  # which takes cookies from an address
        async with aiohttp.ClientSession(base_url=url, cookie_jar=jar) as client:
            yield client


def console_with(folder: Path, yaml: str = "", environ: dict[str, str] | None = None) -> Console:
    """Return the console of a deployment."""
    file = folder / "gateway.yaml"
    file.write_text(yaml or "records: {}\n", "utf-8")
    return console_for(load_deployment(file, environ or {}))


async def fill(console: Console, rows: list[Row]) -> None:
    """Put rows into the database of a console."""
    assert console.database is not None
    async with Database(console.deployment.database) as database:
        await database.migrate()
        await keep(database, rows)


@pytest.fixture
def served(tmp_path: Path) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """The console of an empty deployment."""
    return browser(console_with(tmp_path))


async def text_of(client: aiohttp.ClientSession, path: str, status: int = 200, **options: Any) -> str:
    """Return what a path answers."""
    async with client.get(path, allow_redirects=False, **options) as answer:
        assert answer.status == status, await answer.text()
        return await answer.text()
