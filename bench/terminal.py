"""Show progress and tables of a bench on a terminal, and plain text elsewhere."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gateway.cli.tables import drawn


class Trials:
    """A display on standard error of the running trial, the number of finished ones, and their results.

    The bar is drawn between trials alone: drawing it during a trial would take time from the core that makes the load.
    """

    def __init__(self, total: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._console,
            auto_refresh=False,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._total, self._over = total, 0
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begins(self, what: str) -> None:
        """Show which trial begins now; a search may have more of them than were known."""
        self._total = max(self._total, self._over + 1)
        self._bar.update(self._task, description=f"{what} …", total=self._total, refresh=True)
        if self._bar.disable:
            self._console.print(f"{what} …", end=" ", soft_wrap=True)

    def ended(self, what: str, gave: str) -> None:
        """Show the result of the trial."""
        self._console.print(gave if self._bar.disable else f"{what}: {gave}", soft_wrap=True)
        self._over += 1
        self._bar.update(self._task, completed=self._over, refresh=True)


def print_table(markdown: str) -> None:
    """Print a Markdown table, on a terminal as a drawn one."""
    if not sys.stdout.isatty():
        print(markdown)
        return
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(drawn(head, rows, console))
