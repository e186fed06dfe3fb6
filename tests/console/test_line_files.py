"""The files of the lines, as they are now."""

import os
from pathlib import Path

from gateway.cli.checking.checked import checked_deployment
from gateway.config import load_deployment
from gateway.console.line_files import LONGEST_CHANGE, Change, LineFiles

LINE = 'numbers: ["+14255550100"]\ninstructions: |\n  Answer.\n  Be kind.\n'


def folder_with(folder: Path, **lines: str) -> Path:
    """A deployment with these lines."""
    (folder / "gateway.yaml").write_text("records: false\n", "utf-8")
    (folder / "lines").mkdir()
    for name, text in lines.items():
        write(folder, name, text)
    return folder


def write(folder: Path, name: str, text: str) -> None:
    """Write a line's file, and let it look newer than any before."""
    file = folder / "lines" / f"{name}.yaml"
    newer = file.stat().st_mtime_ns + 1_000_000 if file.exists() else None
    file.write_text(text, "utf-8")
    if newer:
        os.utime(file, ns=(newer, newer))


def looking(folder: Path, *, checks: bool = False) -> LineFiles:
    """The files of a deployment."""
    file = folder / "gateway.yaml"
    check = (lambda: checked_deployment(file, {})) if checks else None
    return LineFiles(load_deployment(file, {}), check)


def test_a_change_is_shown_from_the_version_before(tmp_path: Path) -> None:
    """With the time at which it was seen; a file that is as it was is not read again."""
    files = looking(folder_with(tmp_path, support=LINE))
    (first,) = files.look().lines
    assert (first.name, first.since, first.changes) == ("support", None, ())
    write(tmp_path, "support", LINE.replace("Be kind.", "Be brief."))
    (second,) = files.look().lines
    assert second.line is not None
    assert first.line is not None
    assert second.line.generation != first.line.generation
    assert [(change.kind, change.text) for change in second.changes] == [
        ("place", "@@ -4 +4 @@"),
        ("removed", "-  Be kind."),
        ("added", "+  Be brief."),
    ]
    assert second.since is not None
    assert files.look().lines == (second,)


def test_a_mistake_has_its_place_and_does_not_hide_what_changed(tmp_path: Path) -> None:
    """Mended as it was, it is the version of before."""
    files = looking(folder_with(tmp_path, support=LINE, sales=LINE.replace("0100", "0101")))
    files.look()
    write(tmp_path, "support", LINE + "voise: alloy\n")
    sales, support = files.look().lines
    assert sales.errors == ()
    assert support.line is None
    (error,) = support.errors
    assert (error.line, error.column, error.key) == (5, 1, "voise")
    write(tmp_path, "support", LINE + "voice: alloy\n")
    _, mended = files.look().lines
    assert [change.text for change in mended.changes if change.kind == "added"] == ["+voice: alloy"]


def test_lines_come_and_go(tmp_path: Path) -> None:
    """As their files do."""
    files = looking(folder_with(tmp_path, support=LINE))
    write(tmp_path, "sales", LINE.replace("0100", "0101"))
    assert [line.name for line in files.look().lines] == ["sales", "support"]
    (tmp_path / "lines" / "support.yaml").unlink()
    assert [line.name for line in files.look().lines] == ["sales"]


def test_what_the_check_of_the_whole_says_stands_beside_its_file(tmp_path: Path) -> None:
    """Two lines with one number; a mistake in gateway.yaml is of no line."""
    files = looking(folder_with(tmp_path, support=LINE, sales=LINE), checks=True)
    seen = files.look()
    assert [bool(line.errors) for line in seen.lines].count(True) == 1
    write(tmp_path, "sales", LINE.replace("0100", "0101"))
    assert [line.errors for line in files.look().lines] == [(), ()]
    file = tmp_path / "gateway.yaml"
    file.write_text("recordz: false\n", "utf-8")
    assert "recordz" in str(files.look().errors[0])


def test_a_long_change_is_cut_and_shows_no_secret(tmp_path: Path) -> None:
    """The values of secrets are hidden, as everywhere."""
    folder = folder_with(tmp_path, support=LINE)
    files = LineFiles(load_deployment(folder / "gateway.yaml", {"MY_API_KEY": "abcdefgh12345678"}))
    files.look()
    write(folder, "support", LINE + "".join(f"  Line {n}.\n" for n in range(300)))
    (seen,) = files.look().lines
    assert len(seen.changes) == LONGEST_CHANGE + 1
    assert seen.changes[-1] == Change("place", "…")
    write(folder, "support", LINE)
    files.look()
    write(folder, "support", LINE + "# The key is abcdefgh12345678.\n# It goes to https://a.example/?key=another1\n")
    (seen,) = files.look().lines
    assert [change.text for change in seen.changes if change.kind == "added"] == [
        "+# The key is ….",
        "+# It goes to https://a.example/?key=…",
    ]
