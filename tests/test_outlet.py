"""Streams that go away while they are written to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT


@pytest.mark.parametrize(
    "command", ["schema", "providers", "check", "check --json", "completion bash", "--help", "--version"]
)
def test_a_reader_that_has_read_enough_ends_nothing(command: str) -> None:
    """No traceback and no complaint of the interpreter, for every command that prints: ``gateway schema | head``."""
    with subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "gateway", *command.split()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What somebody waits for is not lost in silence."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "schema"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (1, "the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("command", ["providers", "call --help", "init"])
def test_an_old_terminal_gets_question_marks(tmp_path: Path, command: str) -> None:
    """A sign that the encoding does not know is no reason to stop."""
    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "gateway", *command.split()],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
        timeout=60,
    )
    assert done.stdout.isascii()
    assert command == "init" or b"?" in done.stdout
