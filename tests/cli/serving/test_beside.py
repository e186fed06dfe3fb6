"""The parts of a serving process beside its calls."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.cli.calling import emulated, emulator_command
from gateway.cli.serving.beside import service
from gateway.cli.starting import options
from gateway.cli.starting.commands import command_line
from gateway.config import Deployment
from gateway.errors import GatewayError
from gateway.sim.emulator import Emulator


@pytest.fixture
def emulators(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """How each emulator that a command starts was made; none of them listens."""
    made: list[dict[str, Any]] = []

    def make(*_: object, **options: Any) -> Emulator:
        made.append(options)
        raise OSError("taken")

    monkeypatch.setattr(emulated, "Emulator", make)
    monkeypatch.setattr(options, "logs", SimpleNamespace(configure=lambda **_: None, is_terminal=lambda: False))
    return made


async def test_an_emulator_that_runs_for_months_forgets_old_sessions(emulators: list[dict[str, Any]]) -> None:
    """Both commands bound what is kept of sessions that have ended."""
    with pytest.raises(GatewayError):
        await emulator_command._emulator(command_line().parse_args(["emulator"]))
    with pytest.raises(OSError, match="taken"):
        async with service(command_line().parse_args(["serve", "--emulator"]), Deployment()):
            pass
    assert [made["keep_sessions"] for made in emulators] == [100, 100]
