"""The command line of the bench: what cannot be done is told before minutes are spent."""

from pathlib import Path

import pytest

from bench.__main__ import arguments


@pytest.mark.parametrize("place", ["missing/figures.json", "."])
def test_figures_that_cannot_be_kept_are_refused_first(
    tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not when they have been measured."""
    with pytest.raises(SystemExit) as ended:
        arguments(["--json", str(tmp_path / place)])
    assert ended.value.code == 2
    assert f"--json: {tmp_path / place} cannot be written" in capsys.readouterr().err
    assert arguments(["--json", str(tmp_path / "figures.json")]).json == tmp_path / "figures.json"


@pytest.mark.parametrize("words", [[], ["--tools"], ["--quick"]])
def test_what_is_compiled_is_compared(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Or counted; nothing else makes a compiled gateway."""
    with pytest.raises(SystemExit) as ended:
        arguments([*words, "--compiled"])
    assert ended.value.code == 2
    assert "--compiled: only by --vs or --instructions" in capsys.readouterr().err
    for asked in (["--vs", "HEAD"], ["--instructions"], ["--instructions", "--vs", "HEAD"]):
        assert arguments([*asked, "--compiled"]).compiled
