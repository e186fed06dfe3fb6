"""``on_trouble`` of a line, and that of the deployment for lines that have none."""

from pathlib import Path

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config import ConfigErrors, Lines, load_deployment
from gateway.config.line.trouble import OnTrouble

LINE = 'numbers: ["+1425555010{}"]\ninstructions: Answer.\n'


def deployed(folder: Path, gateway: str, *lines: str) -> Lines:
    """The lines of a deployment."""
    (folder / "lines").mkdir()
    (folder / "gateway.yaml").write_text(gateway)
    for number, text in enumerate(lines):
        (folder / "lines" / f"line{number}.yaml").write_text(LINE.format(number) + text)
    return Lines(load_deployment(folder / "gateway.yaml", {}))


def test_a_line_without_its_own_has_that_of_the_deployment(tmp_path: Path) -> None:
    """The whole section is one or the other."""
    own = "on_trouble: {say: Wait., tries: 0}\n"
    plain, special = deployed(tmp_path, "on_trouble: {say: One moment., limit_s: 9, cache: kept}\n", "", own)
    assert (plain.trouble.say, plain.trouble.limit_s, plain.trouble.tries) == ("One moment.", 9, 6)
    assert special.trouble == OnTrouble(say="Wait.", tries=0)


def test_without_any_there_is_a_tone_and_some_tries(tmp_path: Path) -> None:
    """No call ends with its session unless that is wanted."""
    (line,) = deployed(tmp_path, "{}", "")
    assert line.trouble == OnTrouble(say=None, play=None, tries=6, limit_s=20)


def test_a_recording_is_read_with_the_line(tmp_path: Path) -> None:
    """Beside the file that names it."""
    write_wav(tmp_path / "all.wav", np.zeros(8000, np.int16), 8000)
    (tmp_path / "lines").mkdir()
    write_wav(tmp_path / "lines" / "own.wav", np.zeros(16000, np.int16), 8000)
    (tmp_path / "lines").rename(tmp_path / "sounds")
    lines = deployed(tmp_path, "on_trouble: {play: all.wav}\n", "", "on_trouble: {play: ../sounds/own.wav}\n")
    durations = [line.sounds[str(line.trouble.play)].duration_ms for line in lines]
    assert durations == [1000, 2000]


def test_a_recording_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Before the first call."""
    with pytest.raises(ConfigErrors, match=r"on_trouble\.play: .*gone\.wav"):
        deployed(tmp_path, "{}", "on_trouble: {play: gone.wav}\n")
