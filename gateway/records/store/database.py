"""The database of the records: SQLite in a file, or PostgreSQL.

A transaction that writes takes SQLite's lock when it begins: one that began as a reader could not take it later.
"""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, closing, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import InputError
from gateway.records.store.failures import DatabaseError
from gateway.records.store.migrating import migrate, version
from gateway.text import json_text

BUSY_MS = 5000
"""Milliseconds to wait for another process that writes to SQLite."""
CONNECT_S = 5
COMMAND_S = 30
AT_ONCE = 40
"""Rows that are made ready in one turn of the event loop: less than a millisecond."""

MIGRATION_LOCK = 0x7265636F726473
"""The number of PostgreSQL's advisory lock that a process holds while it applies migrations."""

Row = Mapping[str, Any]


def database_url(text: str) -> URL:
    """Return a URL with the driver that is used: of ``sqlite:///file`` or ``postgresql://…``. Raises ``InputError``."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise InputError("is not a URL of a database, expected such as postgresql://user@host/calls") from None
    match url.drivername.partition("+")[0]:
        case "sqlite":
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+asyncpg")
    raise InputError(f"{url.drivername}: is not a database for records, expected sqlite:/// or postgresql://")


class Database:
    """Gives transactions. It connects when it is first used; a database that is away raises what ``is_away`` knows.

    Raises ``InputError`` for a URL of another database, ``DatabaseError`` where its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = database_url(url)
        if not self.is_sqlite:
            _require_asyncpg()
        self._engine: AsyncEngine | None = None
        self._opened()  # loads the driver, which nothing should wait for later
        self._puts: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Executable] = {}

    @property
    def is_sqlite(self) -> bool:
        """``True`` for SQLite."""
        return self._url.drivername.startswith("sqlite")

    @property
    def file(self) -> Path | None:
        """The file of SQLite; ``None`` for a server."""
        return Path(self._url.database or "") if self.is_sqlite else None

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self._url.set(drivername=self._url.drivername.partition("+")[0]).render_as_string()

    async def __aenter__(self) -> "Database":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; a later use opens new ones."""
        engine, self._engine = self._engine, None
        if engine is not None:
            with self._meanwhile():
                await engine.dispose()

    async def migrate(self) -> list[str]:
        """Bring the tables to the newest version, and return the versions that were applied.

        Several processes may do so at once. Raises ``DatabaseError`` for tables that are newer than this program.
        """
        if self.is_sqlite:
            await asyncio.to_thread(_make_file, Path(self._url.database or ""))
        async with self.write() as connection:
            if not self.is_sqlite:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            return await connection.run_sync(migrate)

    async def check(self) -> None:
        """Raise ``DatabaseError`` unless the tables have this program's version."""
        async with self.read() as connection:
            found, wanted = await connection.run_sync(version)
        if found != wanted:
            has = f"have version {found}" if found else "are missing"
            raise DatabaseError(f"{self.shown}: the tables {has}, expected version {wanted}: gateway records migrate")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading, whose reads see one moment."""
        with self._meanwhile():
            async with self._opened().connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for writing; commit at the end of the block, or undo everything if it raises."""
        with self._meanwhile():
            async with self._opened().connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    yield connection

    async def put(
        self, connection: AsyncConnection, table: Table, rows: Sequence[Row], once: Collection[str] = ()
    ) -> None:
        """Write rows that all have the same columns: a row that is there is replaced in these, a new one is added.

        ``once``: of a row that is there these columns stay as they are.
        """
        if not rows:
            return
        put = self._put_into(table, tuple(rows[0]), tuple(once))
        for start in range(0, len(rows), AT_ONCE):
            await connection.execute(put, [dict(row) for row in rows[start : start + AT_ONCE]])

    def _put_into(self, table: Table, columns: tuple[str, ...], once: tuple[str, ...]) -> Executable:
        """Return the statement of :meth:`put`, which takes far longer to make than to carry out."""
        made = self._puts.get((table.name, columns, once))
        if made is None:
            insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
            key = tuple(column.name for column in table.primary_key)
            changed = {name: insert.excluded[name] for name in columns if name not in key and name not in once}
            made = self._puts[table.name, columns, once] = (
                insert.on_conflict_do_update(index_elements=key, set_=changed)
                if changed
                else insert.on_conflict_do_nothing(index_elements=key)
            )
        return made

    async def vacuum(self, tables: Sequence[str]) -> None:
        """Let a server overwrite what deleted rows have left in these tables."""
        with self._meanwhile():
            async with self._opened().connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.exec_driver_sql(f"VACUUM {', '.join(tables)}")

    @staticmethod
    def _meanwhile() -> AbstractContextManager[None]:
        """Let a loop that skips waiting stand still meanwhile: SQLite works in a thread, a server in its own time.

        Such a loop, that of a simulated call, has ``standing_still``; any other goes on.
        """
        standing_still: Callable[[], AbstractContextManager[None]] = getattr(
            asyncio.get_running_loop(), "standing_still", nullcontext
        )
        return standing_still()

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = _sqlite_engine(self._url) if self.is_sqlite else _postgresql_engine(self._url)
        return self._engine


def _require_asyncpg() -> None:
    try:
        import asyncpg  # noqa: F401, PLC0415 -- an extra; and loaded now, because it takes its time
    except ImportError:
        raise DatabaseError(
            'records.url: PostgreSQL needs the extra "postgres": pip install "voice-line-gateway[postgres]"'
        ) from None


def _make_file(file: Path) -> None:
    """Make the file and its folder, if they are not there, for this user alone.

    Writers that readers do not wait for (WAL) are a property of the file, which no second process may set meanwhile:
    the file is made under another name.
    """
    if file.exists():
        return
    make_private_folder(file.parent)
    handle, made = tempfile.mkstemp(prefix=file.name, dir=file.parent)  # which is made with mode 0600
    os.close(handle)
    try:
        with closing(sqlite3.connect(made)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):
            os.link(made, file)
    finally:
        Path(made).unlink()


def make_private_folder(folder: Path) -> None:
    """Make a folder for this user alone, and those above it; one that is there keeps its rights."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url, hide_parameters=True, json_serializer=json_text, connect_args={"timeout": BUSY_MS / 1000}
    )

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the transactions are ours
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "foreign_keys=ON",
            "synchronous=NORMAL",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def began(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", began)
    return engine


def _postgresql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        json_serializer=json_text,
        hide_parameters=True,  # an error never shows the words of a call
        pool_size=4,
        max_overflow=4,
        pool_timeout=CONNECT_S,
        pool_pre_ping=True,
        connect_args={"timeout": CONNECT_S, "command_timeout": COMMAND_S},
    )
