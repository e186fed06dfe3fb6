"""Lines as their files make them, and a call, for the tests of what a session is told."""

import datetime
from collections.abc import Mapping
from pathlib import Path

from gateway.config import Line
from gateway.config.line_file import LineFile
from gateway.voice.texts import CallFacts

STARTED = datetime.datetime(2026, 3, 7, 1, 30, tzinfo=datetime.UTC)
CALL = CallFacts(call_id="CA1", caller="+12065550123", called="+14255550100", started=STARTED)
INSTRUCTIONS = 'instructions: "You are {line}."\n'
AGENT = "agent: {name: desk, project: contoso}\n"


def line_of(
    tmp_path: Path,
    text: str,
    model: str = "gpt-4.1",
    *,
    begins: str = INSTRUCTIONS,
    environ: Mapping[str, str] | None = None,
) -> Line:
    """A line of a number, ``begins`` and ``text``."""
    file = tmp_path / "sales.yaml"
    file.write_text(f'numbers: ["+14255550100"]\n{begins}{text}\n')
    read = LineFile(file, model, environ or {})
    assert read.errors == []
    assert read.line
    return read.line
