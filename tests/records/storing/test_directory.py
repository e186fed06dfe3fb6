"""A directory as the store of recordings."""

import errno
import os
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.records.storing.directory import DirectoryStore, digest_of, path_of
from tests.records.storing.fakes import read

NAME = "2026/11/29/support/k1.wav"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A recording."""
    path = tmp_path / "k1.wav"
    path.write_bytes(os.urandom(3_000_000))
    return path


async def test_what_is_kept_can_be_found_read_and_deleted(tmp_path: Path, sound: Path) -> None:
    """Folders that are empty afterwards go as well, and no others."""
    store = DirectoryStore(tmp_path / "re cordings")
    url = await store.keep(sound, NAME)
    assert url == store.url_of(NAME)
    assert path_of(url) == tmp_path / "re cordings" / NAME
    assert await store.has(url)
    assert await store.link(url, 60) == str(path_of(url))
    content = read(sound)
    assert await store.size(url) == len(content)
    assert b"".join([block async for block in store.read(url)]) == content
    assert b"".join([block async for block in store.read(url, 10, 2_000_000)]) == content[10:2_000_000]
    await store.delete(url)
    await store.delete(url)
    assert not await store.has(url)
    with pytest.raises(StoreError, match="No such file"):
        await store.size(url)
    assert list((tmp_path / "re cordings").iterdir()) == []
    assert read(sound) == content
    await store.close()


async def test_what_is_there_already_is_not_written_again(tmp_path: Path, sound: Path) -> None:
    """But half of it is, and so is another content of the same length."""
    store = DirectoryStore(tmp_path / "store")
    target = tmp_path / "store" / NAME
    await store.keep(sound, NAME)
    inode = target.stat().st_ino
    await store.keep(sound, NAME)
    assert target.stat().st_ino == inode
    for content in (read(sound)[:1000], bytes(3_000_000)):
        target.unlink()
        target.write_bytes(content)
        await store.keep(sound, NAME)
        assert digest_of(target) == digest_of(sound)


async def test_another_file_system_gets_a_copy(tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which a part is never seen under its name."""

    def no_link(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", no_link)
    store = DirectoryStore(tmp_path / "store")
    url = await store.keep(sound, NAME)
    assert read(path_of(url)) == read(sound)
    assert os.stat(sound).st_nlink == 1  # noqa: PTH116 -- Path's own may not stand here
    assert [path.name for path in path_of(url).parent.iterdir()] == ["k1.wav"]


async def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording itself stays."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr("shutil.copyfileobj", full)
    store = DirectoryStore(tmp_path / "store")
    with pytest.raises(StoreError, match="No space left"):
        await store.keep(sound, NAME)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
    assert len(read(sound)) == 3_000_000


async def test_a_recording_that_is_gone_is_no_fault_of_the_store(tmp_path: Path) -> None:
    """It is told apart."""
    store = DirectoryStore(tmp_path / "store")
    with pytest.raises(FileNotFoundError):
        await store.keep(tmp_path / "gone.wav", NAME)
    with pytest.raises(StoreError, match="there is no such recording"):
        await store.link(store.url_of(NAME), 60)
    with pytest.raises(StoreError, match="No such file"):
        assert [block async for block in store.read(store.url_of(NAME))] == []


async def test_trying_it_out_leaves_nothing_and_tells_what_is_wrong(tmp_path: Path) -> None:
    """A file in the place of the directory cannot be written into."""
    await DirectoryStore(tmp_path / "a" / "b").try_out()
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        await DirectoryStore(tmp_path / "file").try_out()
