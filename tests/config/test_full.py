"""``when_full``."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigErrors, load_deployment
from gateway.config.full import WhenFull
from gateway.config.line_file import LineFile

ReadLine = Callable[..., LineFile]


def test_busy_is_an_answer_of_its_own_and_no_key_is_the_deployment_s(read_line: ReadLine) -> None:
    """A line may turn away with busy where the deployment says words."""
    without, busy = read_line("").line, read_line("when_full: busy\n").line
    assert without is not None
    assert busy is not None
    assert without.settings.when_full is None
    assert busy.settings.when_full == WhenFull()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when_full: {transfer: nobody}", "when_full.transfer: 'nobody' is none of transfers"),
        ("when_full: {wait_s: 3}", "when_full.wait_s: "),
        ("when_full: {music: file.mp3}", "when_full.music: 'file.mp3' is not an address that can be used"),
        ("when_full: {sya: Hello.}", "did you mean say?"),
        ("when_full: free", "when_full: "),
    ],
)
def test_mistakes_of_a_line_are_told(read_line: ReadLine, text: str, said: str) -> None:
    """With their place."""
    assert said in "\n".join(map(str, read_line(f"{text}\n").errors))


def test_a_deployment_has_no_names_to_transfer_to(tmp_path: Path) -> None:
    """Targets are a line's."""
    file = tmp_path / "gateway.yaml"
    file.write_text("when_full: {say: Busy., transfer: desk}\n", "utf-8")
    with pytest.raises(ConfigErrors, match=r"when_full\.transfer: "):
        load_deployment(file, {})
    file.write_text('when_full: {say: Busy., transfer: "+14255550199"}\n', "utf-8")
    assert load_deployment(file, {}).when_full.transfer == "+14255550199"
