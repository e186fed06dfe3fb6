"""Databases for the tests: each test that asks for one runs on SQLite and, where a server answers, on PostgreSQL."""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

NO_SERVER = "no PostgreSQL: TEST_DATABASE_URL is not set, and none answers on 127.0.0.1:5432"


def server_url() -> str:
    """Return the URL of a PostgreSQL server for tests; empty where there is none."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return url
    try:
        socket.create_connection(("127.0.0.1", 5432), timeout=2).close()
    except OSError:
        return ""
    return "postgresql://postgres@127.0.0.1:5432/test"


async def _run(url: str, statement: str) -> None:
    import asyncpg  # noqa: PLC0415 -- where there is a server alone

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


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
    server = server_url()
    if not server:
        pytest.skip(NO_SERVER)
    name = f"records_{secrets.token_hex(6)}"
    asyncio.run(_run(server, f"CREATE DATABASE {name}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_run(server, f"DROP DATABASE {name} WITH (FORCE)"))
