"""Keys of hashes: one for each folder of data, all of them in the database."""

import stat
from pathlib import Path

import pytest

from gateway.records.store.database import Database
from gateway.records.store.number_keys import FILE, NumberKey, hashes_of, known_keys, own_number_key, register

KEY = NumberKey("k1", b"secret")


def test_a_number_has_one_hash_however_it_is_written() -> None:
    """And another one with another key; no number has none."""
    one = KEY.hash("+14155550123")
    assert one.startswith("k1:")
    assert len(one) == 3 + 64
    assert "4155550123" not in one
    assert KEY.hash("sip:+14155550123@trunk.example.com;user=phone") == KEY.hash("+1 (415) 555-0123") == one
    assert NumberKey("k1", b"other").hash("+14155550123") != one
    assert KEY.hash("") == ""


def test_a_folder_keeps_its_key(tmp_path: Path) -> None:
    """For this user alone; a folder that cannot be written gives one for this process."""
    key = own_number_key(tmp_path / "data")
    assert own_number_key(tmp_path / "data") == key
    (file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    assert own_number_key(tmp_path / "file").secret != key.secret


def test_a_damaged_key_is_replaced_for_this_process(tmp_path: Path) -> None:
    """It is not empty, and not half of one."""
    (tmp_path / "number.key").write_text("k1:no hexadecimal", "ascii")
    assert len(own_number_key(tmp_path).secret) == 32


async def test_the_database_knows_every_key(database_url: str) -> None:
    """So that a number is found whichever of them hashed it."""
    other = NumberKey("k2", b"other")
    async with Database(database_url) as database:
        await database.migrate()
        async with database.write() as connection:
            for key in (KEY, other, KEY):
                await register(database, connection, key)
        async with database.read() as connection:
            assert sorted(key.name for key in await known_keys(connection)) == ["k1", "k2"]
            found = await hashes_of(connection, "+1 415 555 0123")
            assert sorted(found) == [KEY.hash("+14155550123"), other.hash("+14155550123")]
            assert await hashes_of(connection, "") == []


def test_processes_that_begin_at_once_have_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is a moment later takes the key that is there by then, and leaves no file beside it."""
    first = own_number_key(tmp_path)
    monkeypatch.setattr(Path, "exists", lambda file: False)  # as it was when it looked
    assert own_number_key(tmp_path) == own_number_key(tmp_path) == first
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
