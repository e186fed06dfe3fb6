"""``gateway doctor``: its output, its exit codes, its end."""

import os
import signal
import socket
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from gateway.cli import main
from tests.doctor.stage import KEY

LINE = 'numbers: ["*"]\ninstructions: Answer.\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment with one line, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "sales.yaml").write_text(LINE)
    (tmp_path / "gateway.yaml").write_text("")
    return tmp_path / "gateway.yaml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("voice_live: {endpont: x}\n", "voice_live.endpont: unknown key, did you mean endpoint?"),
        ("", "voice_live.endpoint: is not set"),
    ],
)
def test_a_configuration_that_cannot_be_used(
    config: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    """It ends with 2, and says where the error is; nothing is tried."""
    config.write_text(text)
    assert main(["doctor", "--config", str(config)]) == 2
    out = capsys.readouterr().out
    assert words in out
    assert "connection" not in out
    assert out.splitlines()[-1].startswith("the configuration cannot be used; begin with configuration of ")


def test_there_is_no_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command that writes one is named."""
    assert main(["doctor", "--config", str(config.with_name("none.yaml"))]) == 2
    assert "gateway init" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--phone", "twilio"], "--phone: twilio is not served, expected a provider under providers in gateway.yaml"),
        (["--line", "support"], "--line: support is no line, expected one of sales"),
    ],
)
def test_wrong_arguments(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    """They are named with what was expected."""
    monkeypatch.setenv("AZURE_COGNITIVE_SERVICES_ENDPOINT", "http://127.0.0.1:1")
    assert main(["doctor", "--config", str(config), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_ctrl_c_ends_it_in_order(config: Path) -> None:
    """With 130 and without a traceback, while a server does not answer."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        endpoint = f"http://127.0.0.1:{mute.getsockname()[1]}"
        environ = {**os.environ, "AZURE_COGNITIVE_SERVICES_ENDPOINT": endpoint, "AZURE_COGNITIVE_SERVICES_KEY": KEY}
        command = [sys.executable, "-m", "gateway", "doctor", "--config", str(config)]
        with Popen(command, env=environ, stdout=PIPE, stderr=PIPE, text=True) as run:  # noqa: S603 -- our own command
            connection, _ = mute.accept()  # the check of the connection
            connection.close()
            connection, _ = mute.accept()  # the clock, which is awaited
            run.send_signal(signal.SIGINT)
            _, told = run.communicate(timeout=30)
            connection.close()
    assert run.returncode == 130
    assert "Traceback" not in told
