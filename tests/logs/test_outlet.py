"""Streams that go away while they are written to."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.logs.outlet import Outlet
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


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "\x07", "a\rb", "\x7f", "\u202e", "\u2066", "\ud83d"])
def test_what_would_act_on_a_terminal_is_replaced(text: str) -> None:
    """Whatever command prints it, on either stream; line ends and tabs are kept."""
    stream = io.StringIO()
    Outlet(stream).write(f"one\t{text}\n")
    first, _, rest = stream.getvalue().partition("\t")
    assert first == "one"
    assert rest.endswith("\n")
    assert "\ufffd" in rest
    assert rest[:-1].isprintable()


def test_colours_are_for_whoever_minds_such_characters() -> None:
    """What draws on a terminal writes as it wants, and is as safe from a reader that is gone."""
    stream = io.StringIO()
    Outlet(stream).styled().write("\x1b[1mbold\x1b[0m\n")
    assert stream.getvalue() == "\x1b[1mbold\x1b[0m\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_what_was_printed_in_colours_is_not_lost_in_silence() -> None:
    """The command knows of it, which looks at the plain outlet."""
    with Path("/dev/full").open("w") as full:
        outlet = Outlet(full)
        styled = outlet.styled()
        styled.write("a call")
        styled.flush()
    assert outlet.failure == "No space left on device"


def test_what_was_closed_before_we_began_is_opened(tmp_path: Path) -> None:
    """As in ``gateway check 2>&-``: no socket gets such a number, which would make libuv abort."""
    script = f"{sys.executable} -m gateway serve --emulator --port 0 --config {tmp_path}/none.yaml >&- 2>&- <&-"
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, check=False, timeout=60)  # noqa: S603 -- our own
    assert done.returncode == 2


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_whoever_prints_finds_a_stream(tmp_path: Path, closed: str) -> None:
    """A command that asks whether its output is a terminal gets an answer where there is no output."""
    script = f"{sys.executable} -m gateway providers {closed}"
    done = subprocess.run(  # noqa: S603 -- our own command
        ["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, check=False, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
