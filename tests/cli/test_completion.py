"""Completion scripts are those of the command line as it is."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_learns_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every shell that is offered, from the parser itself."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("gateway", "init", "serve", "interrupt-after", "max-answer-ms"))


def test_the_script_is_one_that_bash_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It defines the completion of ``gateway`` and completes a command."""
    bash = shutil.which("bash")
    assert bash is not None
    assert main(["completion", "bash"]) == 0
    (tmp_path / "gateway").write_text(capsys.readouterr().out, "utf-8")
    ask = "source ./gateway; COMP_WORDS=(gateway se); COMP_CWORD=1; _shtab_gateway; echo ${COMPREPLY[@]}"
    done = subprocess.run([bash, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 -- our own script
    assert done.stdout.split() == ["serve"]


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of those that there are."""
    with pytest.raises(SystemExit) as ended:
        main(["completion", "cmd"])
    assert ended.value.code == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As the package has it."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("gateway 0.")
