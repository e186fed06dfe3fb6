"""Signals to processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gateway.cli.processes.signals import send_signal


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that sleeps."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as started:
        yield started
        started.kill()


def test_the_exit_status_is_left_to_whoever_waits_for_it(process: "subprocess.Popen[bytes]") -> None:
    """>> a second kill of a process that the first has ended << it is known all the same that it was killed."""
    send_signal(process, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    send_signal(process, signal.SIGKILL)
    ended, status = os.waitpid(process.pid, os.WNOHANG)
    process.returncode = -signal.SIGKILL
    assert ended == process.pid
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_a_process_that_has_ended_gets_none(
    process: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number may be another's by now."""
    process.kill()
    process.wait()
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: sent.append(pid))
    send_signal(process, signal.SIGTERM)
    assert sent == []


def test_a_number_that_is_nobodys_is_no_error(process: "subprocess.Popen[bytes]") -> None:
    """The process has ended, and that is not known here yet."""
    process.kill()
    process.wait()
    process.returncode = None
    send_signal(process, signal.SIGTERM)
    process.returncode = -signal.SIGKILL
