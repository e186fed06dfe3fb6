"""The current lines, kept in memory while their files are followed in the background."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from gateway.call.metrics import Metrics
from gateway.config import Line, Lines
from gateway.config.following import LineFollower
from gateway.config.line.tools import McpTool
from gateway.config.lines import Update

log = structlog.get_logger()

HANG_LIMIT_S = 10.0
"""A file that takes longer to check is on a mount that does not answer."""
END_LIMIT_S = 1.0


class LineBook:
    """Looks lines up, and reports in the log and the metrics which versions were loaded and which were refused.

    ``regions`` maps a provider's name to the country whose rules apply to its numbers without a country code.
    """

    def __init__(self, lines: Lines, metrics: Metrics, regions: Mapping[str, str] | None = None) -> None:
        self._lines = lines
        self._metrics = metrics
        self._regions = regions or {}
        self._problems: dict[str, str] = {}
        """The mistake in the newest file of a line, by the line's name."""
        self._take(Update(loaded=tuple(lines), refused=lines.refused))

    def region(self, provider: str) -> str:
        """Return the country by whose rules a provider's numbers are read; empty if none is configured."""
        return self._regions.get(provider, "")

    def find(self, name: str, called: str = "", provider: str = "") -> Line | None:
        """Return the line of that name or, without a name, the line of the number that ``provider`` says was called."""
        return self._lines.by_name(name) if name else self._lines.for_number(called, self.region(provider))

    def problem(self, name: str) -> str:
        """Return the mistake that keeps the newest version of a line's file from being used; empty if it is in use."""
        return self._problems.get(name, "")

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the lines' files until the block ends. A thread that hangs is abandoned and delays nothing."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def in_loop(act: Callable[..., object], *arguments: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: the thread was abandoned
                loop.call_soon_threadsafe(act, *arguments)

        follower = LineFollower(self._lines, lambda update: in_loop(self._take, update), lambda: in_loop(ended.set))
        follower.start()
        try:
            with HangWatch(self._lines):
                yield
        finally:
            follower.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(END_LIMIT_S):
                    await ended.wait()

    def _take(self, update: Update) -> None:
        for line in update.loaded:
            self._problems.pop(line.name, None)
            self._metrics.know_line(line.name, _tools_of(line))
            log.info("line_loaded", line=line.name, generation=line.generation, file=str(line.file))
        for line in update.removed:
            self._problems.pop(line.name, None)
            log.warning("line_removed", line=line.name, generation=line.generation)
        for refused in update.refused:
            self._problems[refused.line] = str(refused.error)
            self._metrics.lines_refused.inc()
            log.error("line_refused", line=refused.line, generation=refused.generation, detail=str(refused.error))


class HangWatch:
    """Logs the file that the thread has been checking for longer than :data:`HANG_LIMIT_S`."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._seen: Path | None = None
        self._logged: Path | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._wait()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Compare with the last look; log each file once."""
        file = self._lines.looking_at
        if file is not None and file is self._seen and file is not self._logged:
            log.error("line_files_hang", file=str(file), detail="the lines stay as they were read last")
            self._logged = file
        self._seen = file

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HANG_LIMIT_S, self._again)

    def _again(self) -> None:
        self.look()
        self._wait()


def _tools_of(line: Line) -> list[str]:
    """Return the line's tools as metrics name them."""
    tools = line.settings.tools
    servers = [f"mcp:{tool.mcp.server_label}" for tool in tools if isinstance(tool, McpTool)]
    built_in = [tool for tool in tools if isinstance(tool, str)]
    return [*(function.name for function in line.functions), *servers, *built_in]
