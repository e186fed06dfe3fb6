"""The lines as their files are now, for whoever asks for one."""

import asyncio

import structlog

from gateway.config import Line, Lines

log = structlog.get_logger()


class LineBook:
    """Looks lines up; each look-up takes up changed files first, off the event loop and one at a time."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._refreshing = asyncio.Lock()

    async def find(self, name: str, called: str = "") -> Line | None:
        """The line of that name, else, where no name is given, the line that takes the called number."""
        async with self._refreshing:
            problems = await asyncio.to_thread(self._lines.refresh)
        for problem in problems:
            log.error("line_refused", detail=str(problem))
        return self._lines.by_name(name) if name else self._lines.for_number(called)
