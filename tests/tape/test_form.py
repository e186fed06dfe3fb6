from pathlib import Path

import pytest

from gateway.errors import InputError
from gateway.tape.form import kind_of, read_tape

HEADER = b'{"tape":1,"gateway":"0.1","started":"2026-11-29T17:00:00Z","clock":5.0,"provider":"twilio"}\n'


def write(folder: Path, content: bytes) -> Path:
    """A file with this content."""
    file = folder / "tape.jsonl"
    file.write_bytes(content)
    return file


def test_records_are_read_in_the_order_of_their_times(tmp_path: Path) -> None:
    """Workers append as they come; line numbers are those of the file."""
    file = write(tmp_path, HEADER + b'{"t":2,"side":"phone","to":"in","text":"b"}\n{"t":1,"side":"voice","json":{}}\n')
    tape = read_tape(file)
    assert [(number, line.t) for number, line in tape.lines] == [(3, 1), (2, 2)]
    assert [line.text for _, line in tape.of("phone", "in", "message")] == ["b"]
    assert tape.of("phone", "out") == []


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """The gateway was killed."""
    tape = read_tape(write(tmp_path, HEADER + b'{"t":1,"side":"phone"}\n{"t":2,"si'))
    assert len(tape.lines) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty, expected a tape"),
        (b"hello\n", ":1: is no header of a tape"),
        (b'{"a":1}\n', ":1: is no header of a tape"),
        (HEADER.replace(b'"tape":1', b'"tape":2'), ":1: is a tape of form 2, expected form 1"),
        (HEADER + b'{"t":"x","side":"phone"}\n{"t":1,"side":"phone"}\n', ":2: is no record of a tape"),
        (HEADER + b"\xff\xfe\n{}\n", ":2: is no record of a tape"),
    ],
)
def test_what_is_no_tape_is_said(tmp_path: Path, content: bytes, told: str) -> None:
    """With the file, the line and what was expected; never with what stands there."""
    file = write(tmp_path, content)
    with pytest.raises(InputError) as raised:
        read_tape(file)
    assert str(raised.value).startswith(str(file))
    assert told in str(raised.value)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """No file, a directory, no name."""
    for path in (tmp_path / "none", tmp_path, Path("a\0b")):
        with pytest.raises(InputError):
            read_tape(path)


def test_the_kind_of_a_message_is_found_where_peers_write_it() -> None:
    """Each provider has its own member for it."""
    kinds = ({"type": "a"}, {"event": "b"}, {"eventType": "c"}, {"Kind": "d"}, {"op": "e"}, {"messageType": "f"})
    assert [kind_of({"v": 2, **each}) for each in kinds] == list("abcdef")
    assert kind_of({"op": "a", "type": "b"}) == "b"
    assert kind_of({"sampleRate": 8000}) == kind_of([]) == ""
