"""``gateway emulator``: what it prints, and whom it serves."""

import re
from types import SimpleNamespace

import pytest

from gateway.cli.calling import emulator_command
from gateway.cli.starting import options
from gateway.cli.starting.commands import command_line
from gateway.cli.stopping import Stop


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is stopped as soon as it listens, and leaves the log alone."""
    stop = Stop()
    stop.request("SIGINT")
    monkeypatch.setattr(emulator_command, "stop_on_signals", lambda: stop)
    monkeypatch.setattr(options, "logs", SimpleNamespace(configure=lambda **_: None, is_terminal=lambda: False))


async def run(*words: str) -> int:
    """The command with these options, on a free port."""
    return await emulator_command._emulator(command_line().parse_args(["emulator", "--port", "0", *words]))


@pytest.mark.usefixtures("printed")
async def test_the_file_that_clients_have_to_trust_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--tls``, beside an address of https."""
    assert await run("--tls") == 0
    lines = capsys.readouterr().out.splitlines()
    address, trust = (line for line in lines if line.startswith(("Voice Live", "Its clients")))
    assert "https://127.0.0.1:" in address
    assert re.search(r"/voice-live-emulator-\w+/ca\.pem ", trust)


@pytest.mark.usefixtures("printed")
async def test_without_tls_there_is_nothing_to_trust(capsys: pytest.CaptureFixture[str]) -> None:
    """An address of http, and no file."""
    assert await run() == 0
    out = capsys.readouterr().out
    assert "http://127.0.0.1:" in out
    assert "trust" not in out


def test_facts_are_printed_and_nothing_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its certainty and its source."""
    options = command_line().parse_args(["emulator", "--facts"])
    assert options.run(options) == 0
    out = capsys.readouterr().out
    assert "mcp\n" in out
    assert "Voice Live emulator:" not in out
