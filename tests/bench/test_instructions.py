"""Counting the instructions of a call."""

import shutil
from pathlib import Path

import pytest

from bench import instructions
from bench.websocket import PeerError


def test_the_total_is_callgrind_s(tmp_path: Path) -> None:
    """The line that sums up its file; a file without one is told."""
    file = tmp_path / "callgrind"
    file.write_text("events: Ir\nsummary: 0\n\ntotals: 353945404\n")
    assert instructions.total(file) == 353_945_404
    file.write_text("events: Ir\n")
    with pytest.raises(PeerError, match="no total"):
        instructions.total(file)


def test_without_valgrind_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And that is told before anything is started."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(PeerError, match="valgrind is not installed"):
        instructions.per_frame()
