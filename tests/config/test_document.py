from pathlib import Path

import pytest

from gateway.config.document import read_document


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
        ("greeting: @home\n", "line.yaml:1:11: not valid YAML: found character '@' that cannot start any token"),
        ("greeting: *who\n", "line.yaml:1:11: not valid YAML: found undefined alias 'who'"),
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


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A missing file has a name in its message and no line."""
    (error,) = read_document(tmp_path / "none.yaml", {}).errors
    assert str(error) == f"{tmp_path}/none.yaml: cannot be read: No such file or directory"
    assert (error.line, error.column) == (0, 0)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
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
