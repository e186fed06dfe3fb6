"""A wait that says what it waited for: where its time is up, the error names the event."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Waits:
    """The waits of a test. ``unmet`` are those that were given up."""

    def __init__(self) -> None:
        self.unmet: list[str] = []

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Remember ``what`` where the block is cancelled in the middle of it."""
        try:
            yield
        except asyncio.CancelledError:
            self.unmet.append(what)
            raise

    @asynccontextmanager
    async def within(self, limit_s: float) -> AsyncIterator[None]:
        """Give the block so many seconds. Raises ``TimeoutError`` that names what it waited for."""
        known = len(self.unmet)
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as error:
            awaited = "; ".join(self.unmet[known:]) or "nothing that says its name"
            raise TimeoutError(f"{limit_s:g} s are over, it waited for {awaited}") from error
