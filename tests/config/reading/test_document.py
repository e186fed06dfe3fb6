import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.reading.document import read_document
from gateway.config.reading.text_file import MAX_BYTES


def read(tmp_path: Path, text: str | bytes, **environ: str) -> list[str]:
    """The errors of a file, without its directory."""
    file = tmp_path / "line.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return [str(error).removeprefix(f"{tmp_path}/") for error in read_document(file, environ).errors]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "silence:\n\tafter_s: 5\n",
            "line.yaml:2:1: a tab stands here, expected spaces: YAML is indented with spaces",
        ),
        (
            "greeting: Hello: how are you\n",
            'line.yaml:1:16: an unexpected ":": write a text that contains ": " in quotes, and check the indentation',
        ),
        ('a: 1\ngreeting: "Hello\n', "line.yaml:2:11: a quote is opened here and never closed"),
        ("a: 1\n---\nb: 2\n", "line.yaml:2:1: a second document starts here, expected one per file"),
        ("greeting: @home\n", 'line.yaml:1:11: a text cannot start with "@": write it in quotes'),
        (
            "greeting: *who\n",
            'line.yaml:1:11: *who refers to nothing: a text that starts with "*" is written in quotes',
        ),
        ("a: \x01\n", "line.yaml:1:4: not valid YAML: the character U+0001 is not allowed"),
        ("a: 1\nb: 2\na: 3\n", "line.yaml:3:1: a: duplicate key, first written in line 1"),
        ("limits:\n  calls: 1\n  calls: 2\n", "line.yaml:3:3: limits.calls: duplicate key, first written in line 2"),
        ("- a\n", "line.yaml:1:1: expected keys with values, such as 'key: value', found a list or a text alone"),
        ("greeting: !shout hello\n", "line.yaml:1:1: greeting: !shout is a YAML tag, expected a plain value"),
        ("a: &a [*a]\n", "line.yaml:1:4: a[0]: *a refers to itself"),
        ("? [a]\n: b\n", "line.yaml:1:3: a key must be a word"),
        (
            "greeting:\n",
            "line.yaml:1:1: greeting: has no value, expected one; delete the line for the default",
        ),
        (
            "commit_on: #\nbarge_in: true\n",
            'line.yaml:1:1: commit_on: has no value (a "#" starts a comment: write it in quotes), expected one; '
            "delete the line for the default",
        ),
        (
            "numbers: +14255550100",
            'line.yaml:1:1: numbers: expected a text, found a number: write it in quotes, in a list, ["+14255550100"]',
        ),
        (
            "numbers: [+14255550100]\n",
            'line.yaml:1:11: numbers[0]: expected a text, found a number: write it in quotes, "+14255550100"',
        ),
        (
            "a: 1\nb:\n  - x\n  - pre${COMPANY}post\n",
            "line.yaml:4:8: b[1]: environment variable COMPANY is not set",
        ),
        ("a: ${A B}\n", "line.yaml:1:4: a: ${A B} is not a reference to a variable, expected ${NAME}"),
        ("a: !!int abc\n", "line.yaml:1:1: a: expected a whole number, found 'abc'"),
        ('a: !!int ""\n', "line.yaml:1:1: a: expected a whole number, found ''"),
        (f"a: {'9' * 5001}\n", f"line.yaml:1:1: a: expected a whole number, found '{'9' * 39}…'"),
        ("a: !!float 1.2.3\n", "line.yaml:1:1: a: expected a number, found '1.2.3'"),
        ("%YAML 1.1\n---\na: yes\n", "line.yaml:3:1: a: expected true or false, found 'yes'"),
        (f"a: {'[' * 30}{']' * 30}\n", "line.yaml:1:1: nested too deeply, expected at most 20 levels"),
        (f"a: {'[' * 1500}{']' * 1500}\n", "line.yaml:1:1: nested too deeply, expected at most 20 levels"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)),
            "line.yaml:1:1: stands for too many values, expected at most 10000",
        ),
        (b"a: 1\nb: caf\xe9\n", "line.yaml:2:7: not UTF-8: byte 0xe9, expected a file saved as UTF-8"),
    ],
)
def test_a_mistake_of_writing_is_told_with_its_place(tmp_path: Path, text: str | bytes, expected: str) -> None:
    """Each mistake gives exactly one message, with the line and column of what is wrong."""
    assert read(tmp_path, text) == [expected]


def test_what_is_just_within_the_bounds_is_read(tmp_path: Path) -> None:
    """Twenty levels, ten thousand values, a megabyte; one more of each is told."""
    assert read(tmp_path, f"a: {'[' * 20}{']' * 20}\n") == []
    assert read(tmp_path, f"a: {'[' * 21}{']' * 21}\n") == [
        "line.yaml:1:1: nested too deeply, expected at most 20 levels"
    ]
    hundred = "a: &a [" + "x, " * 98 + "x]\n"
    assert read(tmp_path, hundred + "b: [" + "*a, " * 98 + "x, " * 98 + "x]\n") == []
    assert read(tmp_path, hundred + "b: [" + "*a, " * 98 + "x, " * 99 + "x]\n") == [
        "line.yaml:1:1: stands for too many values, expected at most 10000"
    ]
    assert read(tmp_path, "#" * MAX_BYTES) == []
    assert read(tmp_path, "#" * (MAX_BYTES + 1)) == ["line.yaml: cannot be read: larger than 1048576 bytes"]


def test_a_key_in_quotes_may_hold_any_space(tmp_path: Path) -> None:
    """Whoever puts a key in quotes means every sign of it; without quotes a space of another kind is told."""
    file = tmp_path / "line.yaml"
    file.write_text('"\u00a0x": 1\n', "utf-8")
    assert read_document(file, {}).data == {"\u00a0x": 1}
    for key in ("\u00a0x", "x\u00a0"):
        assert read(tmp_path, f"{key}: 1\n") == [
            "line.yaml:1:1: a no-break space (U+00A0) stands here, expected a plain space"
        ]


def test_a_reference_is_placed_where_it_stands(tmp_path: Path) -> None:
    """The second one in a text as the first one, and not where the same signs stand before the text."""
    text = "a${X}: 1\nb: x ${Y} ${X}\nc: ${X}\n"
    assert read(tmp_path, text, Y="y") == [
        "line.yaml:2:11: b: environment variable X is not set",
        "line.yaml:3:4: c: environment variable X is not set",
    ]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A missing file has a name in its message and no line."""
    (error,) = read_document(tmp_path / "none.yaml", {}).errors
    assert str(error) == f"{tmp_path}/none.yaml: cannot be read: No such file or directory"
    assert (error.line, error.column) == (0, 0)


def test_all_mistakes_of_a_file_are_logged_at_once(tmp_path: Path) -> None:
    """Reading goes on behind a mistake."""
    assert len(read(tmp_path, "a: ${A}\nb: ${B}\na: 2\nc:\n")) == 4


def test_scalars_are_read_as_yaml_1_2(tmp_path: Path) -> None:
    """``yes`` and dates are texts, ``010`` is ten: what is written is what is meant."""
    file = tmp_path / "line.yaml"
    file.write_text("a: [yes, off, true, False, 010, 0x1f, 1_000, 1.5, 2024-01-01, 12:30, '5']\n")
    document = read_document(file, {})
    assert document.data == {"a": ["yes", "off", True, False, 10, 31, 1000, 1.5, "2024-01-01", "12:30", "5"]}
    assert document.errors == []


def test_a_number_remembers_how_it_was_written(tmp_path: Path) -> None:
    """Where a text is meant, the postcode 01067 stays one and the version 1.10 does not become 1.1."""
    file = tmp_path / "line.yaml"
    file.write_text("a: [01067, 1.10, 0x1F, +14255550100, 1e3]\n")
    numbers = read_document(file, {}).data["a"]
    assert [number.text for number in numbers] == ["01067", "1.10", "0x1F", "+14255550100", "1e3"]
    assert numbers == [1067, 1.1, 31, 14255550100, 1000.0]


def test_comments_alone_are_a_file_without_keys(tmp_path: Path) -> None:
    """A file of comments is empty, not wrong."""
    file = tmp_path / "line.yaml"
    file.write_text("# nothing yet\n")
    assert read_document(file, {}).data == {}
    assert read_document(file, {}).errors == []


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """A file from a Windows editor has the same positions."""
    file = tmp_path / "line.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  one\r\n  two\r\n")
    document = read_document(file, {})
    assert document.data == {"a": 1, "b": "one\ntwo\n"}
    assert document.position(("b",)) == (2, 1)


def test_a_section_that_may_be_empty_reads_as_one(tmp_path: Path) -> None:
    """A section whose keys are all comments is a section, where the caller says so."""
    file = tmp_path / "line.yaml"
    file.write_text("limits:\n  # calls: 3\n")
    assert read_document(file, {}, may_be_empty=[("limits",)]).data == {"limits": {}}
    assert len(read_document(file, {}).errors) == 1


@pytest.mark.parametrize("value", ['"Be kind \\ud83d\\ude00"', '["\\ud83d\\ude00"]', '"\\U0001f600"'])
def test_pairs_of_surrogates_are_joined(tmp_path: Path, value: str) -> None:
    """JSON is YAML, and what writes JSON writes a character beyond U+FFFF as two escapes."""
    file = tmp_path / "line.yaml"
    file.write_text(f'{{"a": {value}, "\\ud83d\\ude00": 1}}')
    document = read_document(file, {})
    assert not document.errors
    assert "\U0001f600" in str(document.data["a"])
    assert document.data["\U0001f600"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'a: 1\nb: "Be \\ud83d\\ude00 \\ud83d kind"\n',
            "2:21: b: holds U+D83D, which is half of a character, expected text",
        ),
        ('a: ["x\\0y"]\n', "1:7: a[0]: holds U+0000, a control character, expected text"),
        ('a: {b: "x\\x0by"}\n', "1:10: a.b: holds U+000B, a control character, expected text"),
        ('a: "\\e[31m"\n', "1:5: a: holds U+001B, a control character, expected text"),
        ('a: "x \\U00000007"\n', "1:7: a: holds U+0007, a control character, expected text"),
        ('a: "\\uffff"\n', "1:5: a: holds U+FFFF, which is no character, expected text"),
        ('{"\\udc00": 1}\n', "1:2: a key holds U+DC00, which is half of a character, expected text"),
        ('{"a\\0": 1}\n', "1:2: a key holds U+0000, a control character, expected text"),
        ("a: x ${BAD}\n", "1:6: a: environment variable BAD holds U+DCFF, which is half of a character, expected text"),
        ("a: ${ESC}\n", "1:4: a: environment variable ESC holds U+001B, a control character, expected text"),
    ],
)
def test_what_no_call_can_carry_is_refused_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    """Halves of characters and control characters, in any text, in keys and from the environment."""
    assert read(tmp_path, text, BAD="\udcff", ESC="a\x1b") == [f"line.yaml:{expected}"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    """Editors on Windows save UTF-16 by the name of Unicode."""
    (error,) = read(tmp_path, "numbers: [x]\n".encode(encoding))
    name = "UTF-32" if encoding == "utf-32" else "UTF-16"
    assert error == f"line.yaml:1:1: saved as {name}, expected UTF-8: save it again with the encoding UTF-8"


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_other_line_ends_count_as_lines(tmp_path: Path, ends: str) -> None:
    """Of Windows and of old Macintoshes."""
    assert read(tmp_path, f"a: 1{ends}b:{ends}c: 1{ends}")[0].startswith("line.yaml:2:1: b: has no value")


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    """Nobody may ever write to it; a directory or a huge file is no configuration either."""
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with (tmp_path / "huge.yaml").open("wb") as huge:
        huge.truncate(MAX_BYTES + 1)
    told = [str(*read_document(tmp_path / name, {}).errors) for name in ("pipe.yaml", "folder.yaml", "huge.yaml")]
    assert told == [
        f"{tmp_path}/pipe.yaml: cannot be read: it is a named pipe, expected a file",
        f"{tmp_path}/folder.yaml: cannot be read: it is a directory, expected a file",
        f"{tmp_path}/huge.yaml: cannot be read: larger than 1048576 bytes",
    ]


@pytest.mark.parametrize(("there", "wanted"), [("a.yml", "a.yaml"), ("A.YAML", "a.yaml"), ("a.yaml", "a.yml")])
def test_a_missing_file_is_told_with_the_one_beside_it(tmp_path: Path, there: str, wanted: str) -> None:
    """Whose name differs by its ending or its capitals."""
    (tmp_path / there).touch()
    (error,) = read_document(tmp_path / wanted, {}).errors
    assert error.message == f"cannot be read: No such file or directory ({there} is there)"


_PIECES = [
    *"[]{}:#,|>-*&!%@`\"'\\?\n\t \u00a0\ufeff\u2028\x85\r\x00<",
    "<<: ",
    "\\ud83d",
    "\\0",
    "${",
    "- ",
    "|\n",
    "---\n",
    "a: ",
    "\n  ",
    "*a",
]


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=30).map("".join))
def test_no_text_is_a_traceback(text: str) -> None:
    """Whatever stands in a file is data, or mistakes with a place in the file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "line.yaml"
        file.write_text(text, "utf-8", errors="surrogatepass", newline="")
        document = read_document(file, {})
        lines = text.count("\n") + text.count("\r") + 1
        for error in document.errors:
            assert 1 <= error.line <= lines
            assert error.column >= 1
