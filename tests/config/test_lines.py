import errno
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config import ConfigErrors, Deployment, Lines, load_deployment
from gateway.config.lines import Refused, Update
from gateway.errors import ConfigError

GOOD = 'numbers: ["{number}"]\ninstructions: {instructions}\n'


class Folder:
    """A deployment's directory, and its lines as files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "lines").mkdir()
        (root / "gateway.yaml").write_text("")
        self._age = 0

    def write(self, name: str, text: str) -> Path:
        """Write a line's file, with a modification time of its own however fast the test is."""
        file = self.root / "lines" / name
        file.write_text(text)
        self._age += 1
        os.utime(file, ns=(self._age * 10**9, self._age * 10**9))
        return file

    def line(self, name: str, number: str, instructions: str = "Answer.") -> Path:
        """Write a line that is right."""
        return self.write(f"{name}.yaml", GOOD.format(number=number, instructions=instructions))

    def load(self, **environ: str) -> Lines:
        """All lines."""
        return Lines(self.deployment(**environ))

    def deployment(self, **environ: str) -> Deployment:
        """The deployment."""
        return load_deployment(self.root / "gateway.yaml", environ)

    def shown(self, errors: object) -> list[str]:
        """Errors as they are printed, without the directory."""
        return [str(error).replace(f"{self.root}/lines/", "") for error in errors]  # type: ignore[attr-defined]  # a list


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty deployment."""
    return Folder(tmp_path)


def test_a_line_is_found_by_its_name_and_its_numbers(folder: Folder) -> None:
    """The stem of the file is the name."""
    folder.line("sales", "+14255550100")
    folder.line("support", "+14255550101")
    lines = folder.load()
    assert [line.name for line in lines] == ["sales", "support"]
    sales = lines.by_name("sales")
    assert sales is not None
    assert lines.for_number("+14255550100") is sales
    assert lines.by_name("nobody") is None
    assert lines.for_number("+14255550109") is None


def test_a_star_takes_what_no_other_line_takes(folder: Folder) -> None:
    """The fallback line does not get in the way of the others."""
    folder.line("sales", "+14255550100")
    folder.line("any", "*")
    lines = folder.load()
    assert lines.for_number("+14255550100") is lines.by_name("sales")
    assert lines.for_number("+14255550199") is lines.by_name("any")
    assert lines.for_number("") is lines.by_name("any")


def test_no_line_at_all_is_an_error(folder: Folder) -> None:
    """The message names the pattern that nothing matched."""
    with pytest.raises(ConfigErrors, match=r"gateway\.yaml: lines: no file matches .*/lines/\*\.yaml"):
        folder.load()


def test_the_mistakes_of_all_files_are_logged_at_once(folder: Folder) -> None:
    """In the order of the files."""
    folder.write("b.yaml", "numbers: []\n")
    folder.write("a.yaml", "gretting: x\n")
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    files = [Path(error.file).name for error in caught.value.errors]
    assert files == sorted(files)
    assert set(files) == {"a.yaml", "b.yaml"}
    assert len(str(caught.value).splitlines()) == len(caught.value.errors)


def test_two_lines_cannot_have_the_same_number(folder: Folder) -> None:
    """The message stands at the one file and names the other."""
    folder.line("a", "+14255550100")
    folder.write("b.yaml", 'numbers: ["+14255550101", "+14255550100"]\ninstructions: Answer.\n')
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    assert folder.shown(caught.value.errors) == [
        "b.yaml:1:27: numbers[1]: +14255550100 is also a number of a.yaml, expected it in one line only"
    ]


def test_a_change_is_taken_up(folder: Folder) -> None:
    """The next call sees the new version; who holds the old one keeps it as it was."""
    folder.line("sales", "+14255550100", "Old.")
    lines = folder.load()
    old = lines.by_name("sales")
    folder.line("sales", "+14255550100", "New.")
    assert lines.refresh().problems == []
    new = lines.by_name("sales")
    assert old
    assert new
    assert (old.instructions, new.instructions) == ("Old.", "New.")


def test_without_a_change_nothing_is_read(folder: Folder) -> None:
    """The same objects stay."""
    folder.line("sales", "+14255550100")
    lines = folder.load()
    before = lines.by_name("sales")
    assert lines.refresh().problems == []
    assert lines.by_name("sales") is before


def test_new_files_come_and_deleted_ones_go(folder: Folder) -> None:
    """Both without a restart."""
    first = folder.line("first", "+14255550100")
    lines = folder.load()
    folder.line("second", "+14255550101")
    first.unlink()
    assert lines.refresh().problems == []
    assert [line.name for line in lines] == ["second"]
    assert lines.for_number("+14255550100") is None


def test_a_file_that_comes_during_the_look_is_read_at_the_next(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not reported as one whose name does not fit."""
    folder.line("first", "+14255550100")
    lines = folder.load()
    overlook = Lines._overlook

    def late(self: Lines, names: set[str]) -> tuple[Refused, ...]:
        folder.line("second", "+14255550101")
        return overlook(self, names)

    monkeypatch.setattr(Lines, "_overlook", late)
    assert lines.refresh().problems == []
    monkeypatch.undo()
    assert lines.refresh().problems == []
    assert [line.name for line in lines] == ["first", "second"]


def test_lines_stay_when_their_directory_is_gone(folder: Folder) -> None:
    """A directory that is not mounted takes no line out of service; it is told once."""
    file = folder.line("sales", "+14255550100")
    lines = folder.load()
    text = file.read_text()
    file.unlink()
    (problem,) = lines.refresh().problems
    assert "lines: no file matches" in str(problem)
    assert lines.refresh().problems == []
    assert lines.by_name("sales")
    file.write_text(text)
    assert lines.refresh().problems == []
    file.unlink()
    assert len(lines.refresh().problems) == 1


def test_a_broken_file_keeps_its_last_good_version(folder: Folder) -> None:
    """Its problem is told once, and again only when it is another; once mended, the file counts again."""
    folder.line("sales", "+14255550100", "Good.")
    lines = folder.load()
    folder.write("sales.yaml", "gretting: [\n")
    (problem,) = folder.shown(lines.refresh().problems)
    assert problem == 'sales.yaml:1:11: a "[" is opened here and never closed, expected "]"'
    good = lines.by_name("sales")
    assert good
    assert good.instructions == "Good."
    assert lines.for_number("+14255550100") is good
    assert lines.refresh().problems == []
    folder.write("sales.yaml", GOOD.format(number="+14255550100", instructions="Good.") + "gretting: x\n")
    assert folder.shown(lines.refresh().problems) == ["sales.yaml:3:1: gretting: unknown key, did you mean greeting?"]
    folder.line("sales", "+14255550100", "Mended.")
    assert lines.refresh().problems == []
    mended = lines.by_name("sales")
    assert mended
    assert mended.instructions == "Mended."


@pytest.mark.parametrize("refused", ["sales.yaml", "prompt.md", "hello.wav"])
def test_a_file_that_the_system_did_not_give_is_read_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """A change that met used-up descriptors or a failing disk is taken up once that has passed, and told once."""
    text = 'numbers: ["+14255550100"]\ninstructions_file: prompt.md\ngreeting: {play: hello.wav}\n'
    folder.write("prompt.md", "Sell.")
    write_wav(folder.root / "lines" / "hello.wav", np.zeros(800, np.int16), 8000)
    folder.write("sales.yaml", text)
    lines = folder.load()
    opened, failing = os.open, False

    def os_open(name: Any, flags: int, mode: int = 0o777, **where: Any) -> int:
        if failing and str(name).endswith(refused):
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(name, flags, mode, **where)

    monkeypatch.setattr(os, "open", os_open)
    path_open = Path.open

    def open_path(path: Path, *how: Any, **more: Any) -> Any:
        if failing and path.name == refused:
            raise OSError(errno.EMFILE, "Too many open files")
        return path_open(path, *how, **more)

    monkeypatch.setattr(Path, "open", open_path)
    folder.write("sales.yaml", text + "barge_in: false\n")
    failing = True
    (error,) = lines.refresh().problems
    assert "Too many open files" in str(error)
    assert lines.refresh() == Update()
    failing = False
    (line,) = lines.refresh().loaded
    assert not line.settings.barge_in
    assert lines.refresh() == Update()


def test_a_new_broken_file_is_no_line(folder: Folder) -> None:
    """It never was good; the others go on."""
    folder.line("sales", "+14255550100")
    lines = folder.load()
    folder.write("broken.yaml", "numbers: 5\n")
    assert len(lines.refresh().problems) == 2
    assert [line.name for line in lines] == ["sales"]


def test_a_change_of_the_instructions_file_is_taken_up(folder: Folder) -> None:
    """The line follows its text; when the text is gone the last good one stays."""
    text = folder.write("bot.md", "Old.")
    folder.write("sales.yaml", 'numbers: ["*"]\ninstructions_file: bot.md\n')
    lines = folder.load()
    folder.write("bot.md", "New.")
    assert lines.refresh().problems == []
    line = lines.by_name("sales")
    assert line
    assert line.instructions == "New."
    text.unlink()
    assert len(lines.refresh().problems) == 1
    assert lines.by_name("sales") is line
    folder.write("bot.md", "Again.")
    assert lines.refresh().problems == []
    again = lines.by_name("sales")
    assert again
    assert again.instructions == "Again."


def test_a_change_of_a_recording_is_taken_up(folder: Folder) -> None:
    """It belongs to the line, and so does its being gone."""
    folder.write("sales.yaml", 'numbers: ["*"]\ninstructions: Answer.\ngreeting: {play: hello.wav}\n')
    recording = folder.root / "lines" / "hello.wav"
    write_wav(recording, np.zeros(8000, np.int16), 8000)
    lines = folder.load()

    def duration_ms() -> float:
        line = lines.by_name("sales")
        assert line
        return line.sounds["hello.wav"].duration_ms

    assert duration_ms() == 1000
    write_wav(recording, np.zeros(16000, np.int16), 8000)
    assert lines.refresh().problems == []
    assert duration_ms() == 2000
    recording.unlink()
    assert folder.shown(lines.refresh().problems) == [
        "sales.yaml:3:12: greeting.play: hello.wav: no such file; expected a recording"
    ]
    assert duration_ms() == 2000


def test_functions_in_python_stand_beside_gateway_yaml(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not beside the line; and what was imported stays when the line is read again."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = folder.root / "shop_of_lines.py"
    module.write_text('async def status() -> str:\n    "Tell the status."\n    return "first"\n')
    line = 'numbers: ["*"]\ninstructions: Answer.\ntools: [{python: "shop_of_lines:status"%s}]\n'
    folder.write("sales.yaml", line % "")
    lines = folder.load()
    before = lines.by_name("sales")
    assert before
    module.write_text("not Python any more")
    folder.write("sales.yaml", line % ", name: other")
    assert lines.refresh().problems == []
    after = lines.by_name("sales")
    assert after
    assert [function.name for function in (*before.functions, *after.functions)] == ["status", "other"]
    assert before.functions[0].run.function is after.functions[0].run.function  # type: ignore[union-attr]  # in Python
    del sys.modules["shop_of_lines"]


def test_an_agent_stands_beside_models_with_a_key(folder: Folder) -> None:
    """A key for the models does not refuse the line: agents are reached with Microsoft Entra ID all the same."""
    folder.write("sales.yaml", 'numbers: ["*"]\nagent: {name: a, project: p}\n')
    assert folder.load(AZURE_COGNITIVE_SERVICES_KEY="hunter2").by_name("sales")


def test_a_number_may_move_from_line_to_line(folder: Folder) -> None:
    """Both files saved between two calls: no conflict, whichever is read first."""
    folder.line("a", "+14255550100")
    folder.line("b", "+14255550101")
    lines = folder.load()
    folder.line("a", "+14255550101")
    folder.line("b", "+14255550100")
    assert lines.refresh().problems == []
    assert lines.for_number("+14255550100") is lines.by_name("b")
    assert lines.for_number("+14255550101") is lines.by_name("a")


def test_a_number_that_another_line_has_is_refused_until_it_is_free(folder: Folder) -> None:
    """The line that had it keeps it; when it lets go, the other gets it without being saved again."""
    folder.line("z", "+14255550100")
    folder.line("b", "+14255550101")
    lines = folder.load()
    folder.line("b", "+14255550100")
    assert folder.shown(lines.refresh().problems) == [
        "b.yaml:1:11: numbers[0]: +14255550100 is also a number of z.yaml, expected it in one line only"
    ]
    assert lines.for_number("+14255550100") is lines.by_name("z")
    assert lines.for_number("+14255550101") is lines.by_name("b")
    folder.line("z", "+14255550102")
    assert lines.refresh().problems == []
    assert lines.for_number("+14255550100") is lines.by_name("b")


def test_lines_take_values_from_the_environment(folder: Folder) -> None:
    """The deployment's environment is that of its lines."""
    folder.write("a.yaml", 'numbers: ["${NUMBER}"]\ninstructions: Answer.\n')
    assert folder.load(NUMBER="+14255550100").for_number("+14255550100") is not None


@pytest.mark.parametrize(
    "odd",
    [
        "limits: {duration_s: !!int abc}",
        f"limits: {{duration_s: {'9' * 5001}}}",
        f"variables: {'[' * 1500}{']' * 1500}",
        "instructions_file: a\\0b",
        "%YAML 9.9\n---\n",
        "\x00",
    ],
)
def test_one_odd_file_leaves_every_other_line_alone(folder: Folder, odd: str) -> None:
    """However a file is wrong, refreshing returns what is wrong with it, and the other lines follow their files."""
    folder.line("good", "+14255550100")
    bad = folder.line("bad", "+14255550101")
    lines = folder.load()
    folder.write("bad.yaml", f"{bad.read_text()}{odd}\n")
    folder.line("good", "+14255550102")
    assert lines.refresh().problems
    assert lines.for_number("+14255550101") is lines.by_name("bad")
    assert lines.for_number("+14255550102") is lines.by_name("good")


def test_other_endings_are_told(folder: Folder) -> None:
    """``.yml`` and capitals beside ``.yaml``: files that were meant as lines and are none. Told once each."""
    folder.line("a", "+14255550100")
    for name in ("b.yml", "c.YAML", "d.yaml.txt", "menu.json", "notes.md", "a.yaml~"):
        folder.write(name, "")
    lines = folder.load()
    assert [line.name for line in lines] == ["a"]
    told = "is not read, expected a name that ends with .yaml (lines: lines/*.yaml)"
    assert folder.shown(lines.overlooked) == [f"{name}: {told}" for name in ("b.yml", "c.YAML", "d.yaml.txt")]
    assert lines.refresh().problems == []
    folder.write("e.yml", "")
    (refused,) = lines.refresh().refused
    assert (folder.shown([refused.error]), refused.line) == ([f"e.yml: {told}"], "e")
    (folder.root / "lines" / "e.yml").unlink()
    assert lines.refresh().problems == []
    assert len(lines.overlooked) == 3


def test_a_pattern_of_yml_passes_over_yaml(folder: Folder) -> None:
    """And one of its own, without an ending, takes what it matches."""
    folder.write("a.yml", GOOD.format(number="+14255550100", instructions="Answer."))
    folder.write("b.yaml", "")
    (folder.root / "gateway.yaml").write_text("lines: lines/*.yml\n")
    assert folder.shown(folder.load().overlooked) == [
        "b.yaml: is not read, expected a name that ends with .yml (lines: lines/*.yml)"
    ]
    (folder.root / "gateway.yaml").write_text("lines: lines/a.*\n")
    assert folder.load().overlooked == []


def test_the_only_file_with_another_ending_is_named(folder: Folder) -> None:
    """Where no file is a line."""
    folder.write("florist.yml", "")
    with pytest.raises(ConfigErrors) as refused:
        folder.load()
    assert str(refused.value) == (
        f"{folder.root}/gateway.yaml: lines: no file matches {folder.root}/lines/*.yaml, "
        f"{folder.root}/lines/florist.yml does not"
    )


def test_an_update_says_which_versions_came_and_went(folder: Folder) -> None:
    """By a hash of what was read; it is the same for the same content, wherever it is read."""
    folder.line("a", "+14255550100", "One.")
    folder.line("b", "+14255550101")
    lines = folder.load()
    first = lines.by_name("a")
    assert first
    assert len(first.generation) == 8
    folder.line("a", "+14255550100", "Two.")
    (folder.root / "lines" / "b.yaml").unlink()
    folder.write("c.yaml", "numbers: 7\n")
    update = lines.refresh()
    (second,), (gone,) = update.loaded, update.removed
    assert (second.name, gone.name) == ("a", "b")
    assert second.generation != first.generation
    assert {(refused.line, bool(refused.generation)) for refused in update.refused} == {("c", True)}
    folder.line("a", "+14255550100", "One.")
    (third,) = lines.refresh().loaded
    assert third.generation == first.generation


def test_an_update_can_be_told_in_pieces() -> None:
    """Of each kind so many at a time, none lost; nothing is no piece."""
    errors = [Refused(ConfigError(str(number))) for number in range(5)]
    pieces = list(Update(refused=tuple(errors)).pieces(2))
    assert [len(piece.refused) for piece in pieces] == [2, 2, 1]
    assert [refused for piece in pieces for refused in piece.refused] == errors
    assert list(Update().pieces(2)) == []


def test_a_piece_has_of_every_kind(folder: Folder) -> None:
    """What came, what went and what was refused, each in its own order."""
    for number in range(3):
        folder.line(f"l{number}", f"+1425555010{number}")
    came = tuple(folder.load())
    update = Update(came, came[:2], (Refused(ConfigError("x")),))
    assert list(update.pieces(2)) == [
        Update(came[:2], came[:2], update.refused),
        Update(came[2:], (), ()),
    ]


def test_the_folders_of_all_files_are_watched(folder: Folder) -> None:
    """Of the lines and of what they name; those of subfolders where the pattern goes there."""
    (folder.root / "texts").mkdir()
    (folder.root / "texts" / "bot.md").write_text("Answer.")
    folder.write("a.yaml", "numbers: ['*']\ninstructions_file: ../texts/bot.md\n")
    lines = folder.load()
    assert {place.resolve() for place in lines.folders()} == {folder.root / "lines", folder.root / "texts"}
    assert not lines.is_deep
    (folder.root / "gateway.yaml").write_text("lines: lines/**/*.yaml\n")
    assert folder.load().is_deep


def test_instructions_and_recordings_are_part_of_the_generation(folder: Folder) -> None:
    """A line whose own file is as before may have changed all the same."""
    text, sound = folder.root / "lines" / "a.md", folder.root / "lines" / "a.wav"
    text.write_text("One.")
    write_wav(sound, np.zeros(800, np.int16), 8000)
    folder.write("a.yaml", 'numbers: ["*"]\ninstructions_file: a.md\ngreeting: {play: a.wav}\n')
    lines = folder.load()
    seen = [line.generation for line in lines]
    text.write_text("Two, two.")
    seen += [line.generation for line in lines.refresh().loaded]
    write_wav(sound, np.ones(1600, np.int16), 8000)
    seen += [line.generation for line in lines.refresh().loaded]
    assert len(set(seen)) == 3


def test_a_line_among_pipes_is_found(folder: Folder) -> None:
    """A pipe is refused without being opened, at the start and later."""
    os.mkfifo(folder.root / "lines" / "pipe.yaml")
    with pytest.raises(ConfigErrors, match=r"pipe.yaml: cannot be read: it is a named pipe, expected a file"):
        folder.load()
