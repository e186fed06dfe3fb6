"""What runs until it is told to stop."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.cli import _parser, serve
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

    monkeypatch.setattr(serve, "Emulator", make)
    monkeypatch.setattr(serve, "logs", SimpleNamespace(configure=lambda **_: None))
    return made


async def test_an_emulator_that_runs_for_months_forgets_old_sessions(emulators: list[dict[str, Any]]) -> None:
    """Both commands bound what is kept of sessions that have ended."""
    with pytest.raises(GatewayError):
        await serve._emulator(_parser().parse_args(["emulator"]))
    with pytest.raises(OSError, match="taken"):
        async with serve._service(_parser().parse_args(["serve", "--emulator"]), Deployment()):
            pass
    assert [made["keep_sessions"] for made in emulators] == [100, 100]


@pytest.mark.parametrize("command", ["serve", "emulator"])
def test_an_address_to_listen_on_may_stand_in_brackets(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As in a URL, and one with a port in it is told; alike in both commands and in gateway.yaml."""
    assert _parser().parse_args([command, "--host", "[::1]"]).host == "::1"
    with pytest.raises(SystemExit):
        _parser().parse_args([command, "--host", "127.0.0.1:8080"])
    assert "has a port in it, expected 127.0.0.1 as host and 8080 as port" in capsys.readouterr().err
