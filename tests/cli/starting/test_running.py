"""A command that fails says so in a few lines, by its exit code as well."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.starting.exits import FAILED, INTERRUPTED, WRONG_INPUT
from gateway.cli.starting.running import run_command
from gateway.config import ConfigErrors
from gateway.errors import ConfigError, GatewayError, InputError

HINT = "gateway init writes a configuration that works"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No ``.env`` is read."""
    monkeypatch.chdir(tmp_path)


def failing(error: BaseException) -> Callable[[argparse.Namespace], int]:
    """Return a command that fails."""

    def run(_: argparse.Namespace) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (InputError("--limit: 0, expected 1 or more"), WRONG_INPUT, "--limit: 0, expected 1 or more\n"),
        (GatewayError("cannot listen"), FAILED, "cannot listen\n"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
    ],
)
def test_a_failure_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, told: str
) -> None:
    """The message alone; nothing for Ctrl-C."""
    assert run_command(argparse.Namespace(run=failing(error))) == code
    assert capsys.readouterr().err == told


def test_a_secret_of_the_environment_is_not_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message may quote what stood in a file."""
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "0f1e2d3c4b5a6978")
    assert run_command(argparse.Namespace(run=failing(InputError("found 0f1e2d3c4b5a6978 there")))) == WRONG_INPUT
    assert "0f1e2d3c4b5a6978" not in capsys.readouterr().err


@pytest.mark.parametrize(("exists", "hint"), [(False, f"{HINT}\n"), (True, "")])
def test_who_has_no_configuration_is_told_how_to_get_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, exists: bool, hint: str
) -> None:
    """Not who has one that is wrong."""
    config = tmp_path / "gateway.yaml"
    if exists:
        config.touch()
    error = ConfigErrors([ConfigError("wrong", file=config)])
    assert run_command(argparse.Namespace(run=failing(error), config=config)) == WRONG_INPUT
    assert capsys.readouterr().err == f"{error}\n{hint}"


def test_the_code_of_the_command_is_returned() -> None:
    """And it can read the environment again."""
    told: list[object] = []

    def run(options: argparse.Namespace) -> int:
        told.append(options.environment.read())
        return 7

    assert (run_command(argparse.Namespace(run=run)), told) == (7, [None])
