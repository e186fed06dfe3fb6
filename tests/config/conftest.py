from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.line_file import LineFile

BASE = 'numbers: ["+14255550100"]\ninstructions: Answer the phone.\n'

ReadLine = Callable[..., LineFile]


@pytest.fixture
def read_line(tmp_path: Path) -> ReadLine:
    """Reads a line of the two required keys and whatever else is given."""

    def read(text: str, *, base: str = BASE, model: str = "gpt-realtime", **environ: str) -> LineFile:
        file = tmp_path / "line.yaml"
        file.write_text(base + text, encoding="utf-8")
        return LineFile(file, model, environ)

    return read


@pytest.fixture
def line_errors(read_line: ReadLine, tmp_path: Path) -> Callable[..., list[str]]:
    """The errors of such a line, without its directory."""

    def errors(text: str, **options: str) -> list[str]:
        return [str(error).replace(f"{tmp_path}/", "") for error in read_line(text, **options).errors]

    return errors
