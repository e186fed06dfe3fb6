"""The lines as their files are now, for whoever asks for one."""

import asyncio
from collections.abc import Mapping

import structlog

from gateway.call.metrics import Metrics
from gateway.config import Line, Lines
from gateway.config.tools import McpTool

log = structlog.get_logger()


class LineBook:
    """Looks lines up; each look-up takes up changed files first, off the event loop and one at a time.

    ``regions`` are the countries whose habits of writing numbers the providers have, by the provider's name.
    """

    def __init__(self, lines: Lines, metrics: Metrics, regions: Mapping[str, str] | None = None) -> None:
        self._lines = lines
        self._metrics = metrics
        self._regions = regions or {}
        self._measured: dict[str, Line] = {}
        self._refreshing = asyncio.Lock()
        self._measure()

    def region(self, provider: str) -> str:
        """The country that numbers of a provider are read by; nothing where none is configured."""
        return self._regions.get(provider, "")

    async def find(self, name: str, called: str = "", provider: str = "") -> Line | None:
        """The line of that name, else, where no name is given, the one that takes what ``provider`` says was called."""
        async with self._refreshing:
            problems = await asyncio.to_thread(self._lines.refresh)
        for problem in problems:
            self._metrics.lines_refused.inc()
            log.error("line_refused", detail=str(problem))
        self._measure()
        return self._lines.by_name(name) if name else self._lines.for_number(called, self.region(provider))

    def _measure(self) -> None:
        """Let the series of each line exist before its first call."""
        for line in self._lines:
            if self._measured.get(line.name) is not line:
                self._measured[line.name] = line
                self._metrics.know_line(line.name, _tools_of(line))


def _tools_of(line: Line) -> list[str]:
    """Return the line's tools as metrics name them."""
    tools = line.settings.tools
    servers = [f"mcp:{tool.mcp.server_label}" for tool in tools if isinstance(tool, McpTool)]
    built_in = [tool for tool in tools if isinstance(tool, str)]
    return [*(function.name for function in line.functions), *servers, *built_in]
