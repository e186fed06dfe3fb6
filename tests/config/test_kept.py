"""Copies of what was good last."""

import os
import shutil
import wave
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.config import ConfigErrors, Lines, load_deployment
from gateway.config.kept import DEPLOYMENT, KeptDeployment, KeptLines, make_own
from gateway.config.line_file import stamp
from tests.e2e.rig import LINE, configuration, load

SALES = LINE.replace("+14255550100", "+14255550101")
WITH_FILES = """numbers: ["+14255550102"]
instructions_file: prompt.md
greeting: {play: hello.wav}
"""


@pytest.fixture
def kept(tmp_path: Path) -> KeptLines:
    """Where the copies are."""
    (tmp_path / "kept").mkdir()
    return KeptLines(tmp_path / "kept")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration of three lines, one of them with files of its own."""
    file = configuration(tmp_path, {"support": LINE, "sales": SALES, "shop": WITH_FILES})
    (tmp_path / "lines" / "prompt.md").write_text("Sell.", "utf-8")
    with wave.open(str(tmp_path / "lines" / "hello.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(3200))
    return file


def generations(lines: Lines) -> dict[str, str]:
    """The version of each line that answers."""
    return {line.name: line.generation for line in lines}


def test_what_is_broken_or_gone_later_is_there_for_who_begins_then(file: Path, kept: KeptLines) -> None:
    """A file that is wrong, one that a line names, and one that has no copy because it was never good."""
    deployment, _ = load(file)
    before = generations(Lines(deployment, kept))
    folder = file.parent / "lines"
    (folder / "support.yaml").write_text("numbers: [", "utf-8")
    (folder / "prompt.md").unlink()
    (folder / "hello.wav").write_bytes(b"no sound")
    (folder / "new.yaml").write_text("[]", "utf-8")
    with pytest.raises(ConfigErrors):
        Lines(deployment)
    lines = Lines(deployment, kept)
    assert generations(lines) == before
    assert {refused.line for refused in lines.refused} == {"support", "shop", "new"}


def test_a_file_that_has_changed_meanwhile_is_not_kept(file: Path, kept: KeptLines) -> None:
    """What was checked is not what would be copied; nothing of it is left behind."""
    line = file.parent / "lines" / "support.yaml"
    kept.keep(line, {line: (1, 2, 3)})
    assert kept.files() == []
    assert list((file.parent / "kept").iterdir()) == []
    kept.keep(line, {line: stamp(line)})
    assert kept.files() == [line]
    copies = kept.copies(line)
    assert copies[line].read_bytes() == line.read_bytes()


def test_a_name_that_is_no_text_has_no_copies(kept: KeptLines) -> None:
    """A file system takes any bytes for a name."""
    assert kept.copies(Path("/lines/\udcff.yaml")) == {}


def test_a_folder_is_one_s_own_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else reads the copies, and nobody else has put something in their place."""
    make_own(tmp_path / "own")
    make_own(tmp_path / "own")
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "own")
    for name in ("file", "link"):
        with pytest.raises(PermissionError, match=f"{name} is no folder of this user"):
            make_own(tmp_path / name)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(PermissionError, match="own is no folder of this user"):
        make_own(tmp_path / "own")


def test_copies_follow_the_lines(file: Path, kept: KeptLines) -> None:
    """The copy is of the last good version, never of a broken one; a line that was removed does not come back."""
    deployment, _ = load(file)
    lines = Lines(deployment, kept)
    changed = file.parent / "lines" / "support.yaml"
    changed.write_text(LINE.replace("Hello.", "Welcome."), "utf-8")
    lines.refresh()
    after = generations(lines)
    changed.write_text("numbers: [", "utf-8")
    lines.refresh()
    (file.parent / "lines" / "sales.yaml").unlink()
    del after["sales"]
    again = Lines(deployment, kept)
    assert generations(again) == after
    changed.write_text(LINE, "utf-8")
    again.refresh()
    assert generations(again)["support"] not in (after["support"], "")


def test_where_all_files_are_gone_every_line_stays(file: Path, kept: KeptLines) -> None:
    """That is a directory that is missing, not a decision; it is told."""
    deployment, _ = load(file)
    before = generations(Lines(deployment, kept))
    (file.parent / "lines").rename(file.parent / "elsewhere")
    lines = Lines(deployment, kept)
    assert generations(lines) == before
    assert any("no file matches" in str(refused.error) for refused in lines.refused)
    assert generations(lines) == before
    assert lines.refresh().loaded == ()


def test_a_first_start_with_a_broken_file_fails(file: Path, kept: KeptLines) -> None:
    """And leaves nothing behind that would let the next worker start without that line."""
    deployment, _ = load(file)
    (file.parent / "lines" / "support.yaml").write_text("numbers: [", "utf-8")
    for _ in range(2):
        with pytest.raises(ConfigErrors):
            Lines(deployment, kept)


def test_unchanged_lines_are_copied_once(file: Path, kept: KeptLines, tmp_path: Path) -> None:
    """However many workers read them; and an older copy is deleted."""
    deployment, _ = load(file)
    Lines(deployment, kept)
    before = sorted((tmp_path / "kept").iterdir())
    Lines(deployment, kept)
    assert sorted((tmp_path / "kept").iterdir()) == before
    (file.parent / "lines" / "support.yaml").write_text(LINE + "# more\n", "utf-8")
    Lines(deployment, kept)
    assert len(list((tmp_path / "kept").iterdir())) == len(before)


def test_a_copy_that_cannot_be_made_is_told(file: Path, tmp_path: Path) -> None:
    """The line is used all the same."""
    deployment, _ = load(file)
    with capture_logs() as logs:
        lines = Lines(deployment, KeptLines(tmp_path / "nowhere"))
    assert len(lines) == 3
    assert {entry["event"] for entry in logs} == {"line_not_kept"}


def test_the_deployment_is_what_it_was(file: Path, tmp_path: Path) -> None:
    """Read from its copy, as if the file still held that."""
    kept = KeptDeployment(file, tmp_path / "kept")
    kept.write()
    file.write_text("limits: {calls: many}\n", "utf-8")
    read = load_deployment(file, {}, copy=tmp_path / "kept" / DEPLOYMENT)
    assert (read.file, read.limits.calls) == (file, 200)


def test_the_deployment_is_written_again_when_it_is_gone(file: Path, tmp_path: Path) -> None:
    """A cleaner of temporary files takes what is days old, the folder too."""
    kept = KeptDeployment(file, tmp_path / "kept")
    kept.write()
    good = (tmp_path / "kept" / DEPLOYMENT).read_bytes()
    shutil.rmtree(tmp_path / "kept")
    file.write_text("limits: {calls: many}\n", "utf-8")
    kept.write()
    assert (tmp_path / "kept" / DEPLOYMENT).read_bytes() == good
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


def test_a_place_that_somebody_else_has_taken_is_refused(file: Path, tmp_path: Path) -> None:
    """A link or a file where the folder was: workers would read what is not ours."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kept").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="no folder of this user"):
        KeptDeployment(file, tmp_path / "kept").write()
