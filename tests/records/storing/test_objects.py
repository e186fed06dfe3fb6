"""Object stores: real ones on this machine, one in memory for what every store of fsspec can do."""

import asyncio
import hashlib
import os
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.config.records.recordings import Recordings
from gateway.errors import StoreError
from gateway.records.storing import objects
from gateway.records.storing.kinds import Other
from gateway.records.storing.objects import ObjectStore
from gateway.records.storing.opening import open_store
from tests.records.storing.servers import Server, settings_of

NAME = "2026/11/29/support/{}.wav"


@asynccontextmanager
async def opened(settings: Recordings, folder: Path) -> AsyncIterator[ObjectStore]:
    """Open a store for the length of a block."""
    store = open_store(settings, folder)
    assert isinstance(store, ObjectStore)
    try:
        yield store
    finally:
        await store.close()


def fetched(link: str) -> bytes:
    """Return what a link gives to anybody."""
    with urllib.request.urlopen(link, timeout=30) as answer:  # noqa: S310 -- a store on this machine
        content: bytes = answer.read()
        return content


def sound(folder: Path, size: int = 500_000) -> Path:
    """Return a recording."""
    path = folder / "sound.wav"
    path.write_bytes(os.urandom(size))
    return path


async def test_a_real_store_keeps_finds_signs_and_deletes(server: Server, tmp_path: Path) -> None:
    """Its link needs no credentials, and is one of the world's: a changed one gives nothing."""
    path = sound(tmp_path)
    async with opened(settings_of(server), tmp_path) as store:
        url = await store.keep(path, NAME.format("a"))
        assert url == f"{server.root}/2026/11/29/support/a.wav"
        assert await store.has(url)
        assert b"".join([block async for block in store.read(url)]) == path.read_bytes()
        assert b"".join([block async for block in store.read(url, 7, 100)]) == path.read_bytes()[7:100]
        link = await store.link(url, 600)
        assert await asyncio.to_thread(fetched, link) == path.read_bytes()
        with pytest.raises(urllib.error.HTTPError) as refusal:
            await asyncio.to_thread(fetched, link[:-4] + "0000")
        refusal.value.close()
        await store.delete(url)
        await store.delete(url)
        assert not await store.has(url)
        with pytest.raises(StoreError, match="there is no such recording"):
            assert [block async for block in store.read(url)] == []
        await store.try_out()


@pytest.mark.filterwarnings("ignore:Sending a large body directly")  # on a loop of its own, where nobody waits
async def test_a_long_recording_goes_in_parts(server: Server, tmp_path: Path) -> None:
    """Twenty megabytes are twenty minutes of a call; what is there whole is not sent again."""
    path = sound(tmp_path, 20_000_000)
    async with opened(settings_of(server), tmp_path) as store:
        url = await store.keep(path, NAME.format("long"))
        digest = hashlib.sha256()
        async for block in store.read(url):
            digest.update(block)
        assert digest.digest() == hashlib.sha256(path.read_bytes()).digest()
        before = await store._ask("info", url, refresh=True)
        await store.keep(path, NAME.format("long"))
        after = await store._ask("info", url, refresh=True)
        assert before.get("LastModified", before.get("last_modified")) == after.get(
            "LastModified", after.get("last_modified")
        )
        await store.delete(url)


async def test_half_an_object_is_replaced(server: Server, tmp_path: Path) -> None:
    """As is one with the same size and another content, and one that somebody else put there without a checksum."""
    path = sound(tmp_path, 1000)
    async with opened(settings_of(server), tmp_path) as store:
        url = store.url_of(NAME.format("half"))
        for content in (path.read_bytes()[:500], bytes(1000), path.read_bytes()):
            await store._ask("pipe_file", url, content)
            await store.keep(path, NAME.format("half"))
            assert b"".join([block async for block in store.read(url)]) == path.read_bytes()
        await store.delete(url)


async def test_wrong_credentials_are_told_without_showing_them(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that names the store."""
    wrong = settings_of(server)
    secret = "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc="
    if server.environ:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    else:
        (string,) = wrong.secrets
        replaced = string[: string.index("AccountKey=")] + f"AccountKey={secret};"
        section = {**server.section, "connection_string": replaced}
        wrong = settings_of(Server(server.root, section))
    async with opened(wrong, tmp_path) as store:
        with pytest.raises(StoreError) as failure:
            await store.try_out()
    told = str(failure.value)
    assert told.startswith(server.root)
    assert "\n" not in told
    assert secret not in told
    assert any(word in told for word in ("AuthorizationFailure", "Forbidden", "SignatureDoesNotMatch", "signature"))


async def test_a_container_that_is_not_there_is_told(azure: Server, tmp_path: Path) -> None:
    """It is not made: who may write recordings need not be allowed to."""
    async with opened(settings_of(Server("az://nowhere", azure.section)), tmp_path) as store:
        with pytest.raises(StoreError, match="az://nowhere: The specified container does not exist"):
            await store.try_out()


async def test_a_store_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    """Where nothing listens, at once; where nothing is said, in time."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    server = Server("s3://recordings", {"endpoint_url": f"http://127.0.0.1:{unused_port}", "region": "x"})
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    async with opened(settings_of(server), tmp_path) as store:
        with pytest.raises(StoreError, match=r"^s3://recordings: "):
            await store.has("s3://recordings/a")
    monkeypatch.setattr(objects, "REQUEST_S", 0.01)
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent:
        server = Server("s3://recordings", {"endpoint_url": f"http://127.0.0.1:{port}", "region": "x"})
        async with opened(settings_of(server), tmp_path) as store:
            with pytest.raises(StoreError, match="no answer within"):
                await store._ask("info", "s3://recordings/a", within_s=0.01)


async def test_any_store_of_fsspec_is_read_back_and_compared(tmp_path: Path) -> None:
    """And has no links."""
    path = sound(tmp_path)
    settings = Recordings(store="memory://calls")
    async with opened(settings, tmp_path) as store:
        url = await store.keep(path, NAME.format("m"))
        assert url == "memory://calls/2026/11/29/support/m.wav"
        assert await store.size(url) == path.stat().st_size
        assert b"".join([block async for block in store.read(url)]) == path.read_bytes()
        with pytest.raises(StoreError, match="has no links"):
            await store.link(url, 60)
        await store.try_out()
        await store.delete(url)
        assert not await store.has(url)
        with pytest.raises(StoreError, match="there is no such recording"):
            await store.size(url)


class Damaging:
    """A file system that damages what it is sent."""

    async_impl = False

    def __init__(self) -> None:
        self.content = b""
        self.threads: set[int] = set()

    def put_file(self, path: str, url: str) -> None:
        """Change one byte."""
        self.threads.add(threading.get_ident())
        self.content = b"x" + Path(path).read_bytes()[1:]

    def info(self, url: str) -> dict[str, Any]:
        """Return the size."""
        if not self.content:
            raise FileNotFoundError
        return {"size": len(self.content), "type": "file"}

    def cat_file(self, url: str, start: int, end: int) -> bytes:
        """Return the content."""
        return self.content[start:end]


async def test_damage_on_the_way_is_noticed(tmp_path: Path) -> None:
    """And a store that is not asynchronous keeps no call waiting: it works in a thread."""
    made = Damaging()
    store = ObjectStore("odd://calls", Other(), lambda: made)
    path = tmp_path / "sound"
    path.write_bytes(b"sound")
    with pytest.raises(StoreError, match="differs from what was sent"):
        await store.keep(path, "a.wav")
    assert made.threads
    assert threading.get_ident() not in made.threads
    with pytest.raises(FileNotFoundError):
        await store.keep(tmp_path / "gone", "a.wav")
