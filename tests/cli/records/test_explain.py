"""``gateway explain``."""

import json
from pathlib import Path

import pytest

from gateway.cli import main

EVENTS = (
    '{"at_ms":0,"kind":"call_started","generation":"g1","line_error":"support.yaml:3:1: wrong \\u001b[31m"}\n'
    '{"at_ms":900,"source":"phone","kind":"call_ended","reason":"none of ours"}\n'
    '{"at_ms":1000,"kind":"call_ended","reason":"caller_hung_up","by":"caller","detail":""}\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a call of a line with a mistake."""
    made = tmp_path / "call"
    made.mkdir()
    (made / "call.json").write_text('{"call_id": "CA1", "line": "support"}')
    (made / "events.jsonl").write_text(EVENTS)
    return made


def test_a_folder_is_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a page for people."""
    assert main(["explain", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("The caller hung up after 1.0 s")
    assert "1. The newest version of the line's file has a mistake" in out
    assert "\x1b" not in out


def test_a_script_reads_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one JSON object, in which nothing controls a terminal either."""
    assert main(["explain", str(folder), "--json"]) == 0
    out = capsys.readouterr().out
    told = json.loads(out)
    assert set(told) == {"call", "ended", "about", "findings", "silences", "interruptions", "figures", "unknown"}
    assert told["findings"][0]["kind"] == "line_file"
    assert "u001b" not in out


def test_what_is_no_call_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was expected."""
    assert main(["explain", str(tmp_path)]) == 2
    assert "no call has this id, and no folder of a call is there" in capsys.readouterr().err


def test_a_page_is_written_for_its_user_alone(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of what was there; a link is replaced and not followed."""
    (tmp_path / "other").write_text("kept")
    page = tmp_path / "page.html"
    page.symlink_to(tmp_path / "other")
    assert main(["explain", str(folder), "--html", str(page)]) == 0
    assert "The newest version of the line" in page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "other").read_text() == "kept"
    assert capsys.readouterr().out.startswith("The caller hung up")
    assert main(["explain", str(folder), "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
