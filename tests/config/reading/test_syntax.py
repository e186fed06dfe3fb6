"""What a person did wrong, said where it is."""

from pathlib import Path

import pytest

from gateway.config.reading.document import read_document

NBSP = "\u00a0"
SPACE = "a no-break space (U+00A0) stands here, expected a plain space"
COMMENT = '(a "#" starts a comment: write it in quotes), expected one; delete the line for the default'
HIDDEN = 'a "#" starts a comment, which hides the rest of the line: write it in quotes'
SIGN = '"*" is a sign of YAML here: write it in quotes'
NO_COLON = 'expected "key: value": a ":" with a space after it is missing'
INDENT = "the indentation fits none of the lines above, expected that of the keys it belongs with"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"greeting:\n  say: hi\n{NBSP}{NBSP}interruptible: true\n", [f"3:1: {SPACE}"]),
        (f"voice:\n  rate: 1\n {NBSP}name: x\n", [f"3:2: {SPACE}"]),
        (f"instructions: |\n{NBSP}{NBSP}Be kind\nvoice: x\n", [f"2:1: {SPACE}"]),
        (f"numbers: x\nbarge_in:{NBSP}true\n", [f"2:10: {SPACE}"]),
        (f"barge_in:{NBSP}true\n", [f"1:10: {SPACE}"]),
        (f"tools:\n  -{NBSP}end_call\n", [f"1:1: tools: {SPACE}"]),
        (f"a:{NBSP}1\n  b: 2\n", [f"1:3: {SPACE}"]),
        (f"a: 1\n{NBSP}b: 2\nc: 3\nd: 4\n", [f"2:1: {SPACE}"]),
        (
            f"instructions: |\n  a\n  {NBSP}b\n{NBSP}c: 1\nvoice: x\n",
            [f"4:1: {SPACE}"],
        ),
        (
            f"instructions: |\n  a\n  {NBSP}b\nc: 1\nvoice: {{a\n",
            ['5:8: a "{" is opened here and never closed, expected "}"'],
        ),
        ("a: 1\n\u3000b: 2\n", ["2:1: an ideographic space (U+3000) stands here, expected a plain space"]),
        ("a: 1\n\u2003b: 2\n", ["2:1: a space of another width (U+2003) stands here, expected a plain space"]),
        ("a: 1\n\u200bb: 2\n", ["2:1: a zero-width space (U+200B) stands here, expected a plain space"]),
    ],
)
def test_what_looks_like_a_space_is_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    """The character itself cannot be told from a space, so that its code is in the message."""
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n",
            "2:1: a merge conflict begins here, expected one of its two versions",
        ),
        ("on_key: {*: {hang_up: true}}\n", f"1:10: {SIGN}"),
        ("on_key:\n  *: {hang_up: true}\n", f"2:3: {SIGN}"),
        ("numbers: [*]\n", f"1:11: {SIGN}"),
        ("commit_on: *\n", f"1:12: {SIGN}"),
        ("say: *bold* words\n", f"1:6: {SIGN}"),
        ("say: %hello\n", '1:6: a text cannot start with "%": write it in quotes'),
        ("say: `x`\n", '1:6: a text cannot start with "`": write it in quotes'),
        ("say: - hi\n", '1:6: a text cannot start with "- ": write it in quotes; a list begins in a line of its own'),
        ("say: !now\n", '1:1: say: !now is a YAML tag, expected a plain value, or "!now" in quotes'),
        ("digits: {finish_on: #}\nvoice: x\n", f"1:21: {HIDDEN}"),
        ("on_key: {#: {hang_up: true}}\n", f"1:10: {HIDDEN}"),
        ("digits:\n  finish_on: #\n\n# more\nvoice: x\n", f"2:3: digits.finish_on: has no value {COMMENT}"),
        ("on_key:\n  #: {hang_up: true}\nvoice: x\n", f"1:1: on_key: has no value {COMMENT}"),
        ("keys:\n  - #\nb: 1\n", f"2:4: keys[0]: has no value {COMMENT}"),
        (
            "say: &you\n",
            '1:1: say: has no value (a text that starts with "&" is written in quotes, "&you"), expected one; '
            "delete the line for the default",
        ),
        (
            "say: {caller}\n",
            '1:7: say.caller: has no value (a text that starts with "{" is written in quotes), expected one; '
            "delete the line for the default",
        ),
        ("say: {caller}, hello\nx: 1\n", '1:14: text stands after "}": write the whole text in quotes'),
        ('say: "Hi" there\nx: 1\n', "1:11: text stands after a closing quote: write the whole text in quotes"),
        ("say: | hello\n", '1:6: a text stands after "|": begin it in the next line, indented'),
        (
            'say: "C:\\path"\n',
            '1:9: a "\\" in double quotes starts an escape: write "\\\\", or use single quotes',
        ),
    ],
)
def test_a_sign_of_yaml_is_to_be_quoted(tmp_path: Path, text: str, expected: str) -> None:
    """A text or key that starts with one, or with what hides the rest of its line."""
    assert read(tmp_path, text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("instructions: |\nYou are nice\nand so on\n", "2:1: {} deeper than its key, this line is not"),
        ("instructions: |\nYou are nice\nvoice: x\n", "2:1: {} deeper than its key, this line is not"),
        ("instructions: |\n    Nice.\n  Kind.\nvoice: x\n", "3:3: {} by 4 spaces as its first line, this line is not"),
        ("instructions: |\n    Nice.\nKind.\nvoice: x\n", "3:1: {} by 4 spaces as its first line, this line is not"),
        ("instructions: |\n    Nice.\n  Be: kind.\n", "3:3: {} by 4 spaces as its first line, this line is not"),
        ("instructions: |\n    Nice.\n  - Kind.\n", "3:3: {} by 4 spaces as its first line, this line is not"),
    ],
)
def test_text_that_is_indented_too_little_is_told(tmp_path: Path, text: str, expected: str) -> None:
    """Under ``|`` the first line says how deep the text stands."""
    assert read(tmp_path, text) == [expected.format('the text under "instructions: |" (line 1) is indented')]


def test_the_text_of_a_key_within_a_section_is_told_by_its_key(tmp_path: Path) -> None:
    """The nearest text above is meant, not one that a key has ended."""
    told = 'the text under "say: |" (line 2) is indented'
    assert read(tmp_path, "greeting:\n  say: |\n  Hello\n") == [f"3:3: {told} deeper than its key, this line is not"]
    assert read(tmp_path, "greeting:\n  say: |\n    Hello\n   you\n") == [
        f"4:4: {told} by 4 spaces as its first line, this line is not"
    ]
    ended = read(tmp_path, "greeting:\n  say: |\n    Hello\nvoice: x\nmodel y\n")
    assert ended == [f"5:1: {NO_COLON}"]


def test_text_that_is_not_indented_at_all_may_look_like_keys(tmp_path: Path) -> None:
    """Then the text itself is found to be empty."""
    assert read(tmp_path, "instructions: |\nYou are: nice\n") == [
        "1:1: instructions: is empty: the text that belongs to it is indented deeper than its key"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('numbers: ["+1"\ninstructions: x\n', '1:10: a "[" is opened here and never closed, expected "]"'),
        ('numbers: ["+1"', '1:10: a "[" is opened here and never closed, expected "]"'),
        ("a: 1\nnumbers: [\n", '2:10: a "[" is opened here and never closed, expected "]"'),
        ("{a: 1,\n", '1:1: a "{" is opened here and never closed, expected "}"'),
        ("greeting: {say: hi\nvoice: x\n", '1:11: a "{" is opened here and never closed, expected "}"'),
        ('numbers: ["a" "b"]\n', '1:15: expected a comma before this, or "]"'),
        ('numbers: ["a"}\n', '1:14: expected "]", found "}"'),
        ("greeting: {say: hi]\n", '1:19: expected "}", found "]"'),
        ("- a\nb: 1\n", "2:1: the indentation fits none of the lines above, expected that of the keys it belongs with"),
        ("say: ? hi\n", '1:6: a text cannot start with "? ": write it in quotes; a list begins in a line of its own'),
        ("a: 1\n---\nb: 2\n", "2:1: a second document starts here, expected one per file"),
        ('numbers: ["a"]]\nx: 1\n', '1:15: "]" closes nothing: write it in quotes, or delete it'),
        ("listen:\n    host: x\n  port: 8080\n", f"3:3: {INDENT}"),
        ('numbers: ["*"]\n  instructions: x\n', f"2:3: {INDENT}"),
        ("  a: 1\nb: 2\n", f"2:1: {INDENT}"),
        ('instructions "hi"\nvoice: x\n', f"1:1: {NO_COLON}"),
        ("voice: x\ninstructions hi\n", f"2:1: {NO_COLON}"),
        ("port:8080\nhost: x\n", f"1:1: {NO_COLON}"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "3:3: c: merge keys (<<) are not taken, expected the keys themselves"),
        ("<<: {b: 1}\n", "1:1: merge keys (<<) are not taken, expected the keys themselves"),
    ],
)
def test_brackets_colons_and_indentation(tmp_path: Path, text: str, expected: str) -> None:
    """Told where they were written, not where the parser gave up."""
    assert read(tmp_path, text) == [expected]


def test_an_anchor_may_be_written_twice(tmp_path: Path) -> None:
    """YAML allows it; the later one counts, and nothing is printed about it."""
    file = tmp_path / "line.yaml"
    file.write_text("a: &x 1\nb: &x 2\nc: *x\n")
    assert read_document(file, {}).data == {"a": 1, "b": 2, "c": 2}


def read(tmp_path: Path, text: str) -> list[str]:
    """The errors of a file, without its name."""
    file = tmp_path / "line.yaml"
    file.write_text(text, "utf-8")
    return [str(error).removeprefix(f"{file}:") for error in read_document(file, {}).errors]
