"""Recordings in an object store, by fsspec: Azure Blob Storage, S3, or any other store that fsspec knows.

The requests of a store that is asynchronous run on fsspec's own loop, which is in a thread of its own, and those of
another one in threads: the loop of the calls only waits for their results.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.errors import GatewayError, StoreError
from gateway.logs.redaction import Redactor
from gateway.records.storing.directory import digest_of
from gateway.records.storing.kinds import Kind
from gateway.records.storing.threads import BLOCK, in_thread
from gateway.text import one_line

REQUEST_S = 30.0
"""Seconds for a request without content."""
SLOWEST = 32_000
"""Bytes a second at which a recording is sent at least; a slower one is given up and tried again."""
_LONGEST = 300


class ObjectStore:
    """Keeps recordings below one URL of an object store.

    ``make`` makes the file system, once it is needed. ``kind`` knows what only Azure or S3 has: checksums, links.
    """

    def __init__(self, url: str, kind: Kind, make: Callable[[], Any], hidden: tuple[str, ...] = ()) -> None:
        self._url = url
        self._kind = kind
        self._make = make
        self._hidden = Redactor(hidden)
        self._made: Any = None
        self._making = asyncio.Lock()

    def url_of(self, name: str) -> str:
        """Return the URL of the recording with this name."""
        return f"{self._url}/{name}"

    async def keep(self, path: Path, name: str) -> str:
        """Send a file, unless the store has it whole, and make sure that it arrived."""
        sha256, md5 = await in_thread(_digests, path)
        size = (await in_thread(path.stat)).st_size
        url = self.url_of(name)
        if await self._has(url, size, sha256, md5):
            return url
        limit_s = REQUEST_S + size / SLOWEST
        try:
            await self._translating_errors(
                self._of_kind(lambda made: self._kind.send(made, path, url, sha256, md5)), limit_s
            )
        except FileNotFoundError as error:  # of the store as well, whose container or bucket is not there
            if await in_thread(path.exists):
                raise StoreError(f"{url}: {error.strerror or error}: {error.filename or self._url}") from None
            raise
        if not await self._has(url, size, sha256, md5):
            raise StoreError(f"{url}: what the store has differs from what was sent")
        return url

    async def has(self, url: str) -> bool:
        """Return whether there is a recording at this URL."""
        try:
            return bool((await self._ask("info", url, **self._kind.fresh))["type"] == "file")
        except FileNotFoundError:
            return False

    async def size(self, url: str) -> int:
        """Return the bytes of a recording."""
        try:
            return int((await self._ask("info", url, **self._kind.fresh))["size"])
        except FileNotFoundError:
            raise StoreError(f"{url}: there is no such recording") from None

    async def delete(self, url: str) -> None:
        """Delete a recording."""
        try:
            await self._ask("rm_file", url)
        except FileNotFoundError:
            return

    async def link(self, url: str, expires_s: int) -> str:
        """Return a signed link that expires."""
        return str(await self._translating_errors(self._of_kind(lambda made: self._kind.link(made, url, expires_s))))

    async def read(self, url: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes of a recording from ``start`` up to ``end``."""
        try:
            size = (await self._ask("info", url, **self._kind.fresh))["size"]
            stop = size if end is None else min(end, size)
            for at in range(start, stop, BLOCK):
                yield await self._ask("cat_file", url, start=at, end=min(at + BLOCK, stop))
        except FileNotFoundError:
            raise StoreError(f"{url}: there is no such recording") from None

    async def try_out(self) -> None:
        """Send a small object, look for it, and delete it."""
        name = f".gateway-{secrets.token_hex(8)}"
        with TemporaryDirectory() as folder:
            path = Path(folder) / "try"
            await in_thread(path.write_bytes, b"gateway")
            await self.keep(path, name)
        await self.delete(self.url_of(name))

    async def close(self) -> None:
        """Close the connections."""
        if self._made is not None:
            await self._translating_errors(self._of_kind(self._kind.close))
            self._made = None

    async def _file_system(self) -> Any:
        """Return fsspec's file system; it is made when it is asked for first."""
        async with self._making:
            if self._made is None:
                self._made = await in_thread(self._make)
        return self._made

    async def _has(self, url: str, size: int, sha256: str, md5: bytes) -> bool:
        """Return whether the store has a recording with this size and checksum."""
        try:
            found = await self._ask("info", url, **self._kind.fresh)
            if found["size"] != size:
                return False
            said = await self._translating_errors(self._of_kind(lambda made: self._kind.checksum(made, url, found)))
            if said is not None:
                return bool(said in (sha256, md5))
            return await self._read_back(url, sha256)
        except FileNotFoundError:
            return False

    async def _read_back(self, url: str, sha256: str) -> bool:
        digest = hashlib.sha256()
        async for block in self.read(url):
            digest.update(block)
        return digest.hexdigest() == sha256

    async def _ask(self, method: str, *arguments: object, within_s: float = REQUEST_S, **options: object) -> Any:
        """Call a method of the file system. Raises ``FileNotFoundError``, and StoreError for all else."""

        async def ask() -> Any:
            made = await self._file_system()
            if made.async_impl:
                return await _on_its_loop(made, getattr(made, f"_{method}")(*arguments, **options))
            return await in_thread(getattr(made, method), *arguments, **options)

        return await self._translating_errors(ask(), within_s)

    async def _of_kind(self, make: Callable[[Any], Any]) -> Any:
        made = await self._file_system()
        return await (_on_its_loop(made, make(made)) if made.async_impl else make(made))

    async def _translating_errors(self, work: Any, within_s: float = REQUEST_S) -> Any:
        """Await ``work``; whatever a store's library raises becomes a StoreError without secrets."""
        try:
            async with asyncio.timeout(within_s):
                return await work
        except FileNotFoundError:
            raise
        except TimeoutError:
            raise StoreError(f"{self._url}: no answer within {within_s:.0f} s") from None
        except GatewayError:
            raise
        except Exception as error:  # noqa: BLE001 -- each store's library has errors of its own
            text = one_line(self._hidden.text(f"{error}".strip().partition("\n")[0]))[:_LONGEST] or type(error).__name__
            raise StoreError(f"{self._url}: {text}") from None


async def _on_its_loop(made: Any, coroutine: Any) -> Any:
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, made.loop))


def _digests(path: Path) -> tuple[str, bytes]:
    return digest_of(path), bytes.fromhex(digest_of(path, "md5"))
