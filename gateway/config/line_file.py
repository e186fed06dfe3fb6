"""One line's file, read and checked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.config.document import Document, position_in, read_document, read_text
from gateway.config.explain import validate
from gateway.config.line import Line, Settings
from gateway.config.placeholders import OF_THE_CALL, Mistake, mistakes
from gateway.config.problems import KeyPath, dotted
from gateway.config.rules import findings
from gateway.errors import ConfigError

_FILLED: tuple[KeyPath, ...] = (("instructions",), ("greeting",), ("greeting", "prompt"), ("silence", "say"))
"""The keys whose texts have placeholders."""


Stamp = tuple[int, int, int] | None
"""Modification time, size and inode of a file; ``None`` where there is none."""


def stamp(file: Path) -> Stamp:
    """What tells one version of a file from another without reading it."""
    try:
        found = file.stat()
    except (OSError, ValueError):  # a name that no file can have
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class LineFile:
    """What one reading of a line's file gave: the ``line``, or ``None`` and the ``errors``.

    ``stamps`` are of every file it read, each taken before the reading, so that a change meanwhile is not missed.
    """

    def __init__(self, file: Path, model: str, environ: Mapping[str, str]) -> None:
        self.stamps = {file: stamp(file)}
        self.line: Line | None = None
        self._document = document = read_document(file, environ)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", file.stem):
            message = f"{file.stem!r} cannot name a line, expected letters, digits, '.', '_' and '-'"
            document.errors.append(ConfigError(message, file=file))
        if not document.is_broken(()):
            self._check_instructions()
            self._check_placeholders()
        settings = validate(Settings, document)
        instructions = self._read_instructions(file)
        if settings:
            chosen = settings.model or model
            for key, message in findings(settings, chosen):
                if not document.is_broken(key):
                    document.refuse(key, message)
            if not self.errors:
                text = settings.instructions or instructions
                self.line = Line(file.stem, file, settings, text, chosen)

    @property
    def errors(self) -> list[ConfigError]:
        """What is wrong with the file."""
        return sorted(self._document.errors, key=lambda error: (error.file, error.line, error.column))

    def number_error(self, index: int, number: str, owner: Path) -> ConfigError:
        """That ``number``, the line's ``index``-th, belongs to the line in ``owner``."""
        key = ("numbers", index)
        return self._document.error(key, f"{number} is also a number of {owner}, expected it in one line only")

    def _check_instructions(self) -> None:
        written = [key for key in ("instructions", "instructions_file") if key in self._document.data]
        if len(written) == 2:
            self._document.refuse(("instructions_file",), "stands beside instructions, expected one of them")
        elif not written:
            message = "is missing, expected the bot's instructions, or instructions_file"
            self._document.refuse(("instructions",), message)

    def _check_placeholders(self) -> None:
        for key in _FILLED:
            text = "" if self._document.is_broken(key) else _text_at(self._document, key)
            for mistake in self._mistakes(text):
                at = self._document.locate(key, mistake.piece, mistake.nth)
                self._document.refuse(key, mistake.message, at)

    def _mistakes(self, text: str) -> list[Mistake]:
        """The placeholders that nothing fills; none where it is not known what the variables are."""
        variables = self._document.data.get("variables", {})
        return mistakes(text, (*OF_THE_CALL, *variables)) if isinstance(variables, dict) else []

    def _read_instructions(self, line_file: Path) -> str:
        key: KeyPath = ("instructions_file",)
        name = self._document.data.get("instructions_file")
        if not isinstance(name, str) or self._document.is_broken(key):
            return ""
        file = line_file.parent / name
        self.stamps[file] = stamp(file)
        unreadable: list[ConfigError] = []
        text = read_text(file, unreadable)
        for error in unreadable:
            self._document.refuse(key, str(error))
        if text is None:
            return ""
        if not text.strip():
            self._document.refuse(key, f"{file} is empty, expected instructions")
        for mistake in self._mistakes(text):
            line, column = position_in(text, mistake.index)
            error = ConfigError(mistake.message, file=file, line=line, column=column, key=dotted(key))
            self._document.errors.append(error)
        return text


def _text_at(document: Document, key: KeyPath) -> str:
    value: Any = document.data
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
