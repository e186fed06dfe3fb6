"""Processes that have calls, played on Unix sockets."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.call.calls import Calls
from gateway.live.book import LiveBook
from gateway.live.messages import About
from gateway.live.server import LiveServer, live_serving
from gateway.records.masking import Masking

ABOUT = About(status="ready", in_use=0, limit=10)


def book_of(calls: Calls, masking: Masking | None = None, about: Callable[[], About] = lambda: ABOUT) -> LiveBook:
    """Return the book of some calls, whose two clocks agree."""
    return LiveBook(calls, about, masking or Masking(), lambda: 100.0, lambda: 1_700_000_100.0)


@asynccontextmanager
async def process(folder: Path, calls: Calls) -> AsyncIterator[None]:
    """Play a process with these calls."""
    async with live_serving(folder, LiveServer(book_of(calls))):
        yield
