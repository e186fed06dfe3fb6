"""A YAML file as plain data that remembers where each key was written (YAML 1.2)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from gateway.config.environment import InterpolationError, interpolate
from gateway.config.problems import KeyPath, dotted
from gateway.config.scalars import ScalarError, construct
from gateway.errors import ConfigError

_REFERENCE = re.compile(r"\$\{([^{}\n]*)\}")
MAX_DEPTH = 20
MAX_VALUES = 10_000
"""Far more than a file needs: a few lines of aliases can stand for billions of values."""

_HIDDEN = str.maketrans({"\ue000": "$", "\ue001": "{", "\ue002": "}"})


def _hide(match: re.Match[str]) -> str:
    """``${NAME}`` in signs that mean nothing to YAML, or ``{port: ${PORT}}`` would be keys within keys."""
    return f"\ue000\ue001{match[1]}\ue002"


def _shown(text: str) -> str:
    return text.translate(_HIDDEN)


_TOO_DEEP = f"nested too deeply, expected at most {MAX_DEPTH} levels"


class _TooMuchError(Exception):
    """The file is nested more deeply, or stands for more values, than anybody can have meant."""


class Position(NamedTuple):
    """Line and column in a file, both from 1."""

    line: int
    column: int


@dataclass
class Document:
    """One file's data. ``errors`` are its mistakes so far; ``broken`` are the keys they are about."""

    file: Path
    source: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)
    broken: set[KeyPath] = field(default_factory=set)
    _keys: dict[KeyPath, Position] = field(default_factory=dict)
    _spans: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)

    def error(self, path: KeyPath, message: str, at: Position | None = None) -> ConfigError:
        """An error about the key at ``path``, placed there or at the nearest key around it."""
        around = path
        while at is None and around:
            at = self._keys.get(around)
            around = around[:-1]
        line, column = at or Position(1, 1)
        key = dotted(path)
        text = f"{key}: {message}" if key else message
        return ConfigError(text, file=self.file, line=line, column=column, key=key)

    def refuse(self, path: KeyPath, message: str, at: Position | None = None) -> None:
        """Note an error about the key at ``path``; later checks of that key are skipped."""
        self.errors.append(self.error(path, message, at))
        self.broken.add(path)

    def position(self, path: KeyPath) -> Position | None:
        """Where the file writes the key at ``path``, if it does."""
        return self._keys.get(path)

    def is_broken(self, path: KeyPath) -> bool:
        """Whether the value at ``path`` is already known to be wrong."""
        return any(path[: len(broken)] == broken for broken in self.broken)

    def locate(self, path: KeyPath, piece: str, nth: int = 0) -> Position | None:
        """Where the ``nth`` ``piece`` stands in the text written at ``path``, if it stands there literally."""
        start, end = self._spans.get(path, (0, 0))
        index = start - 1
        for _ in range(nth + 1):
            index = self.source.find(piece, index + 1, end)
            if index < 0:
                return None
        return position_in(self.source, index)

    def supply(self, path: KeyPath, value: str) -> None:
        """Give the key at ``path`` a value where the file has none."""
        section: Any = self.data
        for part in path[:-1]:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                return
        section.setdefault(path[-1], value)

    def replace(self, path: KeyPath, value: str) -> None:
        """Give the key at ``path`` another value, whatever the file says and however wrong that is."""
        self.errors = [error for error in self.errors if error.key != dotted(path)]
        self.broken.discard(path)
        section: Any = self.data
        for part in path[:-1]:
            section = section.get(part) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section.pop(path[-1], None)
        self.supply(path, value)

    def place(self, path: KeyPath, node: Node, at: Node) -> None:
        """Remember that the key at ``path`` was written at ``at`` and its value at ``node``."""
        self._keys[path] = Position(at.start_mark.line + 1, at.start_mark.column + 1)
        self._spans[path] = (node.start_mark.index, node.end_mark.index)


def position_in(source: str, index: int) -> Position:
    """Line and column of a character."""
    return Position(source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index))


def read_document(file: Path, environ: Mapping[str, str], may_be_empty: Collection[KeyPath] = ()) -> Document:
    """The data of a YAML file with ``${NAME}`` replaced; whatever is wrong is in its ``errors``.

    A key of ``may_be_empty`` that has no value stands for a section with nothing in it.
    """
    document = Document(file)
    source = read_text(file, document.errors)
    if source is None:
        document.broken.add(())
        return document
    document.source = source
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(_REFERENCE.sub(_hide, source))
    except ReaderError as error:
        at = position_in(source, error.position)
        document.refuse((), f"not valid YAML: the character U+{error.character:04X} is not allowed", at)
        return document
    except MarkedYAMLError as error:
        document.refuse((), *_syntax(error, source))
        return document
    except RecursionError:
        document.refuse((), _TOO_DEEP)
        return document
    if root is None:  # nothing but comments
        return document
    if not isinstance(root, MappingNode):
        document.refuse((), "expected keys with values, such as 'key: value', found a list or a text alone")
        return document
    try:
        document.data = _Reader(document, environ, yaml, may_be_empty).mapping(root, ())
    except _TooMuchError as error:
        document.refuse((), str(error))
    return document


def read_text(file: Path, errors: list[ConfigError]) -> str | None:
    """The text of a UTF-8 file, or ``None`` and an entry in ``errors``."""
    try:
        return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        errors.append(ConfigError(f"cannot be read: {error.strerror}", file=file))
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        at = position_in(before, len(before))
        message = f"not UTF-8: byte 0x{error.object[error.start]:02x}, expected a file saved as UTF-8"
        errors.append(ConfigError(message, file=file, line=at.line, column=at.column))
    except ValueError as error:
        errors.append(ConfigError(f"cannot be read: {error}", file=repr(str(file))))
    return None


def _is_phone_number(path: KeyPath, text: str) -> bool:
    is_target = path == ("after", "transfer") or (path[0] == "transfers" and (len(path) == 2 or path[-1] == "to"))
    return path[0] == "numbers" or (is_target and text.startswith("+"))


class _Reader:
    """Turns YAML nodes into plain data."""

    def __init__(
        self, document: Document, environ: Mapping[str, str], yaml: YAML, may_be_empty: Collection[KeyPath]
    ) -> None:
        self._document = document
        self._environ = environ
        self._yaml = yaml
        self._may_be_empty = may_be_empty
        self._around: list[Node] = []
        self._values = 0

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            at = Position(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, ScalarNode):
                self._document.refuse(path, "a key must be a word", at)
                continue
            key = _shown(key_node.value)
            if first := self._document.position(below := (*path, key)):
                self._document.refuse(below, f"duplicate key, first written in line {first.line}", at)
            else:
                self._document.place(below, value_node, at=key_node)
                data[key] = self._value(value_node, below)
        return data

    def _value(self, node: Node, path: KeyPath) -> Any:
        if any(node is outer for outer in self._around):
            self._document.refuse(path, f"*{node.anchor} refers to itself")
            return None
        self._values += 1
        if self._values > MAX_VALUES:
            raise _TooMuchError(f"stands for too many values, expected at most {MAX_VALUES}")
        if len(self._around) >= MAX_DEPTH:
            raise _TooMuchError(_TOO_DEEP)
        self._around.append(node)
        try:
            match node:
                case MappingNode():
                    return self.mapping(node, path)
                case SequenceNode():
                    return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
                case ScalarNode():
                    return self._scalar(node, path)
                case _:
                    raise AssertionError(f"no such YAML node: {node!r}")
        finally:
            self._around.pop()

    def _item(self, node: Node, path: KeyPath) -> Any:
        self._document.place(path, node, at=node)
        return self._value(node, path)

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        kind = str(node.tag).rpartition(":")[2]
        text: str = _shown(node.value)
        if kind == "null":
            if path in self._may_be_empty:
                return {}
            around = self._document.source[: node.start_mark.index].rstrip().rpartition("\n")[2]
            commented = around.partition(":")[2].lstrip().startswith("#")
            hint = ' (a "#" starts a comment: write it in quotes)' if commented else ""
            self._document.refuse(path, f"has no value{hint}, expected one; delete the line for the default")
        elif kind in ("bool", "int", "float"):
            if kind == "int" and _is_phone_number(path, text):  # +14255550100 without quotes is a number to YAML
                self._document.refuse(path, f'expected a text, found a number: write it in quotes, "{text}"')
            try:
                return construct(self._yaml, node, kind)
            except ScalarError as error:
                self._document.refuse(path, str(error))
                return text
        elif kind not in ("str", "timestamp"):
            self._document.refuse(path, f"{node.tag} is a YAML tag, expected a plain value")
        try:
            return interpolate(text, self._environ)
        except InterpolationError as error:
            at = self._document.locate(path, error.reference)
            self._document.refuse(path, str(error), at)
            return text


def _syntax(error: MarkedYAMLError, source: str) -> tuple[str, Position]:
    """What a YAML parser's complaint means to the person who wrote the file, and where."""
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "cannot be read"
    if error.context == "while scanning a quoted scalar" and "end of stream" in problem:
        mark, message = error.context_mark, "a quote is opened here and never closed"
    elif source[mark.index : mark.index + 1] == "\t":
        message = "a tab stands here, expected spaces: YAML is indented with spaces"
    elif problem == "mapping values are not allowed here":
        message = 'an unexpected ":": write a text that contains ": " in quotes, and check the indentation'
    elif "another document" in problem:
        message = "a second document starts here, expected one per file"
    else:
        message = f"not valid YAML: {_shown(problem)}"
    return message, Position(mark.line + 1, mark.column + 1)
