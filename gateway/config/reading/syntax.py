"""Explains a YAML parser's errors to the author of the file, at the position of the mistake."""

import re
from collections.abc import Callable, Iterator

from ruamel.yaml.error import MarkedYAMLError, StringMark

from gateway.config.reading.position import Position, position_in

Mistake = tuple[str, int]
"""A message, and the index of the character that it is about."""

NO_COLON = 'expected "key: value": a ":" with a space after it is missing'
IN_QUOTES = "write it in quotes"
_ODD_SPACES = {
    "\u00a0": "a no-break space",
    "\u202f": "a narrow no-break space",
    "\u3000": "an ideographic space",
    "\u200b": "a zero-width space",
    "\ufeff": "a byte order mark",
} | {chr(code): "a space of another width" for code in (*range(0x2000, 0x200B), 0x205F, 0x1680)}
_ODD = "".join(_ODD_SPACES)
_ODD_PLACE = re.compile(rf"^[ ]*(?:-[ ]+)*([{_ODD}])|^[ ]*(?:-|[\w.\"'*#-]+:)([{_ODD}])")
"""Matches an odd space in a line's indentation, after a dash, or after a key's colon."""
_BLOCK_HEADER = re.compile(r"(?P<indent> *)(?P<key>\S.*?:|-) +(?P<sign>[|>])[-+0-9]*[ ]*(#.*)?")
_KEY = re.compile(r"[^\s:#][^:]*:(\s|$)")


def merge_conflict(source: str) -> tuple[str, Position] | None:
    """Find the markers that git leaves in a file with a merge conflict."""
    lines = source.split("\n")
    begun = next((number for number, line in enumerate(lines) if line.startswith("<<<<<<< ")), None)
    if begun is None or not any(line.startswith(">>>>>>> ") for line in lines[begun:]):
        return None
    return "a merge conflict begins here, expected one of its two versions", Position(begun + 1, 1)


def odd_space(line: str) -> Mistake | None:
    """Find a character that only looks like a space in the indentation of ``line``, after its dash or after its key."""
    found = _ODD_PLACE.match(line)
    if found is None:
        return None
    index = found.start(1) if found[1] else found.start(2)
    return odd_space_here(line[index]), index


def odd_space_here(character: str) -> str:
    """Return a message if ``character`` only looks like a space; else an empty text."""
    name = _ODD_SPACES.get(character)
    return f"{name} (U+{ord(character):04X}) stands here, expected a plain space" if name else ""


def explain(error: MarkedYAMLError, source: str) -> tuple[str, Position]:
    """Return the meaning of a parser's error, and its position."""
    message, index = _Complaint(error, source).explained()
    return message, position_in(source, index)


class _Complaint:
    """Explains one error of the parser. Each ``_of_…`` recognizes a kind of mistake, or returns ``None``."""

    def __init__(self, error: MarkedYAMLError, source: str) -> None:
        self._source = source
        self._lines = source.split("\n")
        self._problem = error.problem or "cannot be read"
        self._context = error.context or ""
        mark = error.problem_mark or error.context_mark
        self._at = _index(mark, source)
        self._opened = _index(error.context_mark, source) if error.context_mark else self._at

    def explained(self) -> Mistake:
        kinds: tuple[Callable[[], Mistake | None], ...] = (
            self._of_quotes,
            self._of_spaces,
            self._of_signs,
            self._of_brackets,
            self._of_block_text,
            self._of_colons,
            self._of_indentation,
        )
        for kind in kinds:
            if found := kind():
                return found
        if "another document" in self._problem:
            return "a second document starts here, expected one per file", self._at
        return f"not valid YAML: {self._problem}", self._at

    def _of_quotes(self) -> Mistake | None:
        if self._context.endswith("quoted scalar") and "end of stream" in self._problem:
            return "a quote is opened here and never closed", self._opened
        if "unknown escape character" in self._problem:
            return 'a "\\" in double quotes starts an escape: write "\\\\", or use single quotes', self._at - 1
        return None

    def _of_spaces(self) -> Mistake | None:
        if self._source[self._at : self._at + 1] == "\t":
            return "a tab stands here, expected spaces: YAML is indented with spaces", self._at
        for start, line in self._lines_around():
            if found := odd_space(line):
                return found[0], start + found[1]
        return None

    def _of_signs(self) -> Mistake | None:
        """Recognize a text that starts with a special character of YAML."""
        sign = self._source[self._at : self._at + 1]
        if "cannot start any token" in self._problem:
            return f'a text cannot start with "{sign}": {IN_QUOTES}', self._at
        if self._context in ("while scanning an alias", "while scanning an anchor"):
            return f'"{self._source[self._opened]}" is a sign of YAML here: {IN_QUOTES}', self._opened
        if name := re.match(r"found undefined alias '(.*)'", self._problem):
            if re.fullmatch(r"[\w-]+", name[1]):
                return f'*{name[1]} refers to nothing: a text that starts with "*" is written in quotes', self._at
            return f'"*" is a sign of YAML here: {IN_QUOTES}', self._at
        if self._problem in ("sequence entries are not allowed here", "mapping keys are not allowed here"):
            return f'a text cannot start with "{sign} ": {IN_QUOTES}; a list begins in a line of its own', self._at
        if "expected a comment or a line break" in self._problem:
            sign = self._source[self._opened]
            return f'a text stands after "{sign}": begin it in the next line, indented', self._opened
        return None

    def _of_brackets(self) -> Mistake | None:
        here = self._source[self._at : self._at + 1]
        if re.search(r"found '[]}]'", self._problem):
            return f'"{here}" closes nothing: {IN_QUOTES}, or delete it', self._at
        if not self._context.startswith("while parsing a flow"):
            return None
        opened = self._opened
        if self._context == "while parsing a flow node":  # the file ends after a bracket or a comma
            last = max(self._source.rfind("[", 0, self._at), self._source.rfind("{", 0, self._at))
            line = self._source.rfind("\n", 0, last) + 1
            opened = min(index for sign in "[{" if (index := self._source.find(sign, line)) >= 0)
        inside = self._source[opened : self._at]
        if comment := re.search(r"[\s[{,](#)[^\n]*[]}]", inside):
            message = f'a "#" starts a comment, which hides the rest of the line: {IN_QUOTES}'
            return message, opened + comment.start(1)
        closing = "]" if inside.startswith("[") else "}"
        if here in ("]", "}"):
            return f'expected "{closing}", found "{here}"', self._at
        if "\n" not in inside and closing in self._source[self._at :].partition("\n")[0]:
            return f'expected a comma before this, or "{closing}"', self._at
        return f'a "{inside[:1]}" is opened here and never closed, expected "{closing}"', opened

    def _of_block_text(self) -> Mistake | None:
        """Recognize a line that should belong to the text under ``|`` or ``>`` but is not indented like it."""
        number = self._line_of(self._opened if self._context == "while scanning a simple key" else self._at)
        above = next((n for n in range(number - 1, -1, -1) if self._ends_block(self._lines[n])), number)
        header = _BLOCK_HEADER.fullmatch(self._lines[above])
        if header is None or above == number:
            return None
        line, key = self._lines[number], len(header["indent"])
        first = _indent(next((text for text in self._lines[above + 1 : number] if text.strip()), ""))
        is_text = key <= _indent(line) < first if first > key else key <= _indent(line)
        if not is_text or (first > key == _indent(line) and _KEY.match(line.strip())):
            return None
        wanted = f"by {first} spaces as its first line" if first > key else "deeper than its key"
        text = f'the text under "{header["key"]} {header["sign"]}" (line {above + 1})'
        return f"{text} is indented {wanted}, this line is not", self._start_of(number) + _indent(line)

    @staticmethod
    def _ends_block(line: str) -> bool:
        """Return ``True`` if a line cannot be text of a block above: the block's own header, or a key at the margin."""
        return _BLOCK_HEADER.fullmatch(line) is not None or bool(line.strip() and not _indent(line))

    def _of_colons(self) -> Mistake | None:
        if self._problem == "could not find expected ':'":
            return NO_COLON, self._opened
        if self._problem != "mapping values are not allowed here":
            return None
        number = self._line_of(self._at)
        above = self._lines[number - 1] if number else ""
        is_beside = above.strip() and _indent(above) == _indent(self._lines[number])
        if is_beside and not re.search(r":(\s|$)|^\s*[-#]", above):
            return NO_COLON, self._start_of(number - 1) + _indent(above)
        return 'an unexpected ":": write a text that contains ": " in quotes, and check the indentation', self._at

    def _of_indentation(self) -> Mistake | None:
        if not self._problem.startswith(("expected <block end>", "expected '<document start>'")):
            return None
        before = self._source[: self._at].rpartition("\n")[2].rstrip()
        if before.endswith(("'", '"', "]", "}")):
            end = "a closing quote" if before[-1] in "'\"" else f'"{before[-1]}"'
            return f"text stands after {end}: write the whole text in quotes", self._at
        if before:
            return f"not valid YAML: {self._problem}", self._at
        return "the indentation fits none of the lines above, expected that of the keys it belongs with", self._at

    def _lines_around(self) -> Iterator[tuple[int, str]]:
        """Return the lines in which the mistake can be, each with the index of its start."""
        last = self._line_of(self._at)
        is_key = self._context == "while scanning a simple key"
        first = self._line_of(self._opened) if is_key else max(0, last - 1)
        for number in range(first, last + 1):
            yield self._start_of(number), self._lines[number]

    def _line_of(self, index: int) -> int:
        return self._source.count("\n", 0, index)

    def _start_of(self, number: int) -> int:
        return sum(len(line) + 1 for line in self._lines[:number])


def _index(mark: StringMark, source: str) -> int:
    return min(mark.index, len(source))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
