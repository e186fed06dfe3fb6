"""What a bench shows: progress and drawn tables on a terminal, plain text elsewhere."""

import io
import sys

import pytest
from rich.console import Console

from bench.terminal import Trials, print_table

TABLE = "| program | calls |\n| --- | --- |\n| gateway | 100 |"


class Terminal(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_table_is_markdown_where_it_is_piped(capsys: pytest.CaptureFixture[str]) -> None:
    """A report can be pasted."""
    print_table(TABLE)
    assert capsys.readouterr().out == TABLE + "\n"


def test_a_table_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its head and rows, and no Markdown; without colour where that is not wanted."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    print_table(TABLE)
    shown = terminal.getvalue()
    assert all(word in shown for word in ("program", "gateway", "100"))
    assert "|" not in shown
    assert "\x1b[3" not in shown


def test_trials_are_a_line_each_where_they_are_piped() -> None:
    """As a log has them."""
    log = io.StringIO()
    with Trials(1, Console(file=log, force_terminal=False)) as trials:
        trials.begins("gateway: 100 calls")
        trials.ended("gateway: 100 calls", "1.00 %")
    assert log.getvalue() == "gateway: 100 calls … 1.00 %\n"


def test_trials_are_counted_on_a_terminal() -> None:
    """How many of how many; a search may need more than were known."""
    log = Terminal()
    with Trials(1, Console(file=log, force_terminal=True, width=80, highlight=False, no_color=True)) as trials:
        trials.begins("gateway: 100 calls")
        trials.ended("gateway: 100 calls", "1.00 %")
        trials.begins("gateway: 150 calls")
        trials.ended("gateway: 150 calls", "1.10 %")
    assert all(told in log.getvalue() for told in ("gateway: 100 calls: 1.00 %", "0/1", "1/1", "1/2", "2/2"))
