"""Databases for the tests: each test that asks for one runs on SQLite and, where a server answers, on PostgreSQL."""

import asyncio
import functools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

USUAL = "postgresql://postgres:postgres@127.0.0.1:5432/postgres"


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@functools.cache
def server() -> tuple[str, str]:
    """Return the URL of a PostgreSQL server for tests, or why there is none."""
    url = os.environ.get("TEST_DATABASE_URL") or USUAL
    try:
        asyncio.run(_run(url))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        where = "TEST_DATABASE_URL" if "TEST_DATABASE_URL" in os.environ else "127.0.0.1:5432"
        return "", f"no PostgreSQL for tests: {where}: {error}"
    return url, ""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/calls.db"
        return
    yield from _database_on_a_server()


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """The URL of an empty database on a server."""
    yield from _database_on_a_server()


def _database_on_a_server() -> Iterator[str]:
    url, why = server()
    if not url:
        pytest.skip(why)
    name = f"records_{secrets.token_hex(6)}"
    asyncio.run(_run(url, f"CREATE DATABASE {name}"))
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_run(url, f"DROP DATABASE {name} WITH (FORCE)"))
