"""Reads the file ``.env``, which supplies variables that the environment does not set."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from dotenv import load_dotenv
from dotenv.parser import parse_stream

from gateway.config.reading.position import position_in
from gateway.config.reading.problems import ConfigErrors
from gateway.config.reading.text_file import decoded
from gateway.errors import ConfigError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_EXPECTED = "expected NAME=value"


def load_env_file(file: Path) -> None:
    """Set the variables of ``file`` that are not set yet; do nothing if there is no such file.

    A directory of that name may be a virtual environment and is ignored; a pipe, as of a password manager, is read.
    Raises ConfigErrors, also for a line that would be ignored, and for a variable that is set twice, of which the later
    value would win.
    """
    if not file.exists() or file.is_dir():
        return
    errors: list[ConfigError] = []
    try:
        text = decoded(file.read_bytes(), file, errors)
    except OSError as error:
        raise ConfigErrors([ConfigError(f"cannot be read: {error.strerror}", file=file)]) from None
    if text is None:
        raise ConfigErrors(errors)
    if (index := text.find("\0")) >= 0:
        line, column = position_in(text, index)
        message = "holds U+0000, a control character, expected text"
        raise ConfigErrors([ConfigError(message, file=file, line=line, column=column)])
    if mistakes := list(_mistakes(text, file)):
        raise ConfigErrors(mistakes)
    load_dotenv(stream=StringIO(text))


def _mistakes(text: str, file: Path) -> Iterator[ConfigError]:
    """Yield what is wrong, without the text of a line: a secret may stand in it."""
    first: dict[str, int] = {}
    for binding in parse_stream(StringIO(text)):
        written = binding.original.string
        line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
        name = binding.key
        if binding.error:
            quote = "; is a quote opened and never closed?" if any(sign in written for sign in "\"'") else ""
            yield ConfigError(f"cannot be read, {_EXPECTED}{quote}", file=file, line=line, column=1)
        elif name is None:  # a comment, or nothing
            continue
        elif not _NAME.fullmatch(name):
            yield ConfigError(f"is not the name of a variable, {_EXPECTED}", file=file, line=line, column=1)
        elif binding.value is None:
            yield ConfigError(f'{name}: has no "=", {_EXPECTED}', file=file, line=line, column=1)
        elif name in first:
            message = f"{name}: is set twice, first in line {first[name]}, expected it once"
            yield ConfigError(message, file=file, line=line, column=1)
        else:
            first[name] = line
