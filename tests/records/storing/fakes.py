"""Stands in for a store and for the rows of recordings, both of which fail on demand."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

from gateway.errors import StoreError
from gateway.records.storing.taking import KeptRecording


class FakeRows:
    """The rows as a dictionary: state, URL and detail of each call."""

    def __init__(self, *keys: str) -> None:
        self.rows: dict[str, tuple[str, str, str]] = dict.fromkeys(keys, ("local", "", ""))
        self.states: list[tuple[str, str]] = []
        self.over: list[KeptRecording] = []
        self.is_away = False

    async def state(self, call_key: str, state: str, url: str = "", detail: str = "") -> bool:
        """Set a state."""
        if self.is_away:
            raise OSError("the database is away")
        if call_key not in self.rows:
            return False
        self.states.append((call_key, state))
        self.rows[call_key] = (state, url, detail)
        return True

    async def expired(self, now: datetime, limit: int) -> Sequence[KeptRecording]:
        """Return what is over and was not deleted yet."""
        if self.is_away:
            raise OSError("the database is away")
        return [one for one in self.over if self.rows[one.call_key][0] == "stored"][:limit]


class FakeStore:
    """A store in memory. ``fails`` is raised by each request; ``meanwhile`` is called while a recording is sent."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.fails: Exception | None = None
        self.meanwhile: Callable[[], None] = lambda: None
        self.is_closed = False

    def url_of(self, name: str) -> str:
        """Return a URL."""
        return f"fake://store/{name}"

    async def keep(self, path: Path, name: str) -> str:
        """Keep a file."""
        self._fail()
        content = read(path)
        url = self.url_of(name)
        if self.objects.get(url) != content:
            self.sent.append(url)
            self.objects[url] = content
        self.meanwhile()
        return url

    async def has(self, url: str) -> bool:
        """Return whether it is there."""
        self._fail()
        return url in self.objects

    async def size(self, url: str) -> int:
        """Return its length."""
        self._fail()
        return len(self.objects[url])

    async def delete(self, url: str) -> None:
        """Delete an object."""
        self._fail()
        self.objects.pop(url, None)

    async def link(self, url: str, expires_s: int) -> str:
        """Return a link."""
        self._fail()
        return f"https://store/{url}?expires={expires_s}"

    async def read(self, url: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the content."""
        self._fail()
        yield self.objects[url][start:end]

    async def try_out(self) -> None:
        """Fail on demand."""
        self._fail()

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


def read(path: Path) -> bytes:
    """Return what a file holds."""
    return path.read_bytes()


AWAY = StoreError("fake://store: no answer")
