"""The keys of the hashes by which phone numbers are found. They are in the database, and the one in use beside it.

A hash is needed before the database is there, because rows may have to wait in a file. Each folder of data has a key
of its own, which the database knows from its first connection on; for several folders there are several keys.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addresses import read
from gateway.records.store.database import Database, make_private_folder
from gateway.records.store.tables import meta

FILE = "number.key"
PREFIX = "number_key:"


class NumberKey(Struct, frozen=True):
    """A key and its name, which stands before each of its hashes."""

    name: str
    secret: bytes

    def hash(self, number: str) -> str:
        """Return the hash of a number, in whatever way it is written; empty for an empty one."""
        plain = read(number)
        if not plain:
            return ""
        return f"{self.name}:{hmac.new(self.secret, plain.encode('utf-8', 'replace'), hashlib.sha256).hexdigest()}"


def new_number_key() -> NumberKey:
    """Return a key by chance."""
    return NumberKey(secrets.token_hex(4), secrets.token_bytes(32))


def own_number_key(folder: Path) -> NumberKey:
    """Return the key of a folder of data, which is made if it is not there; one for this process if that fails."""
    file = folder / FILE
    made = new_number_key()
    try:
        make_private_folder(folder)
        if not file.exists():
            _place(file, f"{made.name}:{made.secret.hex()}")
        return _read(file.read_text("ascii")) or made
    except (OSError, ValueError):
        return made


def _place(file: Path, text: str) -> None:
    """Write a file of this user alone, whole, unless another process does so first."""
    handle, beside = tempfile.mkstemp(prefix=file.name, dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as new:
            new.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(beside, file)
    finally:
        Path(beside).unlink()


def _read(text: str) -> NumberKey | None:
    name, _, secret = text.strip().partition(":")
    return NumberKey(name, bytes.fromhex(secret)) if name and secret else None


async def register(database: Database, connection: AsyncConnection, key: NumberKey) -> None:
    """Let the database know a key."""
    await database.put(connection, meta, [{"name": PREFIX + key.name, "value": key.secret.hex()}])


async def known_keys(connection: AsyncConnection) -> list[NumberKey]:
    """Return all keys that numbers in this database were hashed with."""
    found = await connection.execute(select(meta.c.name, meta.c.value).where(meta.c.name.startswith(PREFIX)))
    return [NumberKey(name.removeprefix(PREFIX), bytes.fromhex(value)) for name, value in found]


async def hashes_of(connection: AsyncConnection, number: str) -> list[str]:
    """Return the hashes that a number may have in this database, for ``caller_hash`` and ``called_hash``."""
    return [found for key in await known_keys(connection) if (found := key.hash(number))]
