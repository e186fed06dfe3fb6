"""Reads a YAML file as plain data that remembers where each key was written (YAML 1.2)."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from gateway.config.reading import syntax
from gateway.config.reading.environment import InterpolationError, interpolate
from gateway.config.reading.position import Position, position_in
from gateway.config.reading.problems import KeyPath, dotted
from gateway.config.reading.scalars import ScalarError, construct
from gateway.config.reading.text_file import read_text
from gateway.config.reading.written import escape_at, missing_value
from gateway.errors import ConfigError
from gateway.text import joined, unfit

_REFERENCE = re.compile(r"\$\{([^{}\n]*)\}")
MAX_DEPTH = 20
MAX_VALUES = 10_000
"""Far more than a file needs; the bound stops a few lines of aliases that expand to billions of values."""

_HIDDEN = str.maketrans({"\ue000": "$", "\ue001": "{", "\ue002": "}"})


def _hide(match: re.Match[str]) -> str:
    """Return ``${NAME}`` in characters without a meaning in YAML, or ``{port: ${PORT}}`` would be nested keys."""
    return f"\ue000\ue001{match[1]}\ue002"


def _shown(text: str) -> str:
    return text.translate(_HIDDEN)


_NO_KEYS = "expected keys with values, such as 'key: value', found a list or a text alone"
_TOO_DEEP = f"nested too deeply, expected at most {MAX_DEPTH} levels"


class _TooMuchError(Exception):
    """The file is nested too deeply, or expands to too many values."""


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
        """Return an error about the key at ``path``, placed there or at the nearest key around it."""
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
        """Return the position of the key at ``path``; ``None`` if the file does not have it."""
        return self._keys.get(path)

    def is_broken(self, path: KeyPath) -> bool:
        """Return ``True`` if the value at ``path`` is already known to be wrong."""
        return any(path[: len(broken)] == broken for broken in self.broken)

    def span(self, path: KeyPath) -> tuple[int, int]:
        """Return the start and end of the value at ``path`` in the source."""
        return self._spans.get(path, (0, 0))

    def locate(self, path: KeyPath, piece: str, nth: int = 0) -> Position | None:
        """Return the position of the ``nth`` ``piece`` in the text at ``path``, if it is written there literally."""
        start, end = self.span(path)
        index = start - 1
        for _ in range(nth + 1):
            index = self.source.find(piece, index + 1, end)
            if index < 0:
                return None
        return position_in(self.source, index)

    def supply(self, path: KeyPath, value: str | Sequence[str]) -> bool:
        """Set the key at ``path`` if the file has no value for it; return ``True`` if it had none."""
        section: Any = self.data
        for part in path[:-1]:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                return False
        return section.setdefault(path[-1], value) is value

    def replace(self, path: KeyPath, value: str) -> None:
        """Replace the value of the key at ``path``, even if the file's own value is wrong."""
        self.remove(path)
        self.supply(path, value)

    def remove(self, path: KeyPath) -> None:
        """Leave out the key at ``path``, even if its value is wrong."""
        self.errors = [error for error in self.errors if error.key != dotted(path)]
        self.broken.discard(path)
        section: Any = self.data
        for part in path[:-1]:
            section = section.get(part) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section.pop(path[-1], None)

    def place(self, path: KeyPath, node: Node, at: Node) -> None:
        """Remember that the key at ``path`` was written at ``at`` and its value at ``node``."""
        self._keys[path] = Position(at.start_mark.line + 1, at.start_mark.column + 1)
        self._spans[path] = (node.start_mark.index, node.end_mark.index)


def read_document(
    file: Path, environ: Mapping[str, str], may_be_empty: Collection[KeyPath] = (), copy: Path | None = None
) -> Document:
    """Return the data of a YAML file with ``${NAME}`` replaced; the mistakes are in its ``errors``.

    A key of ``may_be_empty`` without a value means an empty section. If ``copy`` is given, it is read in place of the
    file.
    """
    document = Document(file)
    source = read_text(copy or file, document.errors)
    if source is None:
        document.broken.add(())
        return document
    document.source = source
    if conflict := syntax.merge_conflict(source):
        document.refuse((), *conflict)
        return document
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False  # an anchor that is written twice is right, and the later one counts
    try:
        root = yaml.compose(_REFERENCE.sub(_hide, source))
    except ReaderError as error:
        at = position_in(source, error.position)
        document.refuse((), f"not valid YAML: the character U+{error.character:04X} is not allowed", at)
        return document
    except MarkedYAMLError as error:
        message, at = syntax.explain(error, source)
        document.refuse((), _shown(message), at)
        return document
    except RecursionError:
        document.refuse((), _TOO_DEEP)
        return document
    if root is None:  # nothing but comments
        return document
    if not isinstance(root, MappingNode):
        message, index = syntax.odd_space(source) or (_NO_KEYS, 0)
        document.refuse((), message, position_in(source, index))
        return document
    try:
        document.data = _Reader(document, environ, yaml, may_be_empty).mapping(root, ())
    except _TooMuchError as error:
        document.refuse((), str(error))
    return document


def _is_phone_number(path: KeyPath, text: str) -> bool:
    following = ("after", "on_failure", "on_shutdown", "when_full")
    is_target = len(path) == 2 and path[0] in following and path[1] == "transfer"
    is_target = is_target or (path[0] == "transfers" and (len(path) == 2 or path[-1] == "to"))
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
            if problem := self._unfit_key(key_node):
                self._document.refuse(path, problem, at)
                continue
            key = joined(_shown(key_node.value))
            if first := self._document.position(below := (*path, key)):
                self._document.refuse(below, f"duplicate key, first written in line {first.line}", at)
            else:
                self._document.place(below, value_node, at=key_node)
                data[key] = self._value(value_node, below)
        return data

    @staticmethod
    def _unfit_key(node: Node) -> str:
        """Return what is wrong with a key, regardless of its value; empty if nothing is."""
        if not isinstance(node, ScalarNode):
            return "a key must be a word"
        if str(node.tag).endswith(":merge"):
            return "merge keys (<<) are not taken, expected the keys themselves"
        key = joined(_shown(node.value))
        if problem := unfit(key):
            return f"a key holds {problem}, expected text"
        return "" if node.style else syntax.odd_space_here(key[:1]) or syntax.odd_space_here(key[-1:])

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
        text = joined(_shown(node.value))
        if kind == "null":
            if path in self._may_be_empty:
                return {}
            self._document.refuse(path, self._missing_value(node, path))
        elif kind in ("bool", "int", "float"):
            return self._no_text(node, path, kind, text)
        elif kind not in ("str", "timestamp"):
            hint = "" if text else f', or "{node.tag}" in quotes'
            self._document.refuse(path, f"{node.tag} is a YAML tag, expected a plain value{hint}")
        elif problem := self._unfit_text(node, text):
            start, end = self._document.span(path)
            at = escape_at(self._document.source, start, end) if node.style == '"' else None
            self._document.refuse(path, problem, at)
            return text
        try:
            return interpolate(text, self._environ)
        except InterpolationError as error:
            at = self._document.locate(path, error.reference)
            self._document.refuse(path, str(error), at)
            return text

    def _no_text(self, node: ScalarNode, path: KeyPath, kind: str, text: str) -> Any:
        """A switch or a number."""
        if kind == "int" and _is_phone_number(path, text):  # +14255550100 without quotes is a number to YAML
            written = f'"{text}"' if len(path) > 1 else f'in a list, ["{text}"]'
            self._document.refuse(path, f"expected a text, found a number: write it in quotes, {written}")
        try:
            return construct(self._yaml, node, kind)
        except ScalarError as error:
            self._document.refuse(path, str(error))
            return text

    def _missing_value(self, node: ScalarNode, path: KeyPath) -> str:
        at = self._document.position(path) or Position(1, 1)
        hint = missing_value(self._document.source, at, in_braces=self._is_in_braces(), anchor=node.anchor or "")
        return f"has no value{hint}, expected one; delete the line for the default"

    def _is_in_braces(self) -> bool:
        outer = self._around[-2] if len(self._around) > 1 else None
        return isinstance(outer, MappingNode) and bool(outer.flow_style)

    @staticmethod
    def _unfit_text(node: ScalarNode, text: str) -> str:
        """Return what is wrong with a text, regardless of its key; empty if nothing is."""
        if problem := unfit(text):
            return f"holds {problem}, expected text"
        if node.style in ("|", ">") and not text.strip():
            return "is empty: the text that belongs to it is indented deeper than its key"
        if not node.style and text.startswith("-"):
            return syntax.odd_space_here(text[1:2])
        return ""
