"""What runs until it is told to stop."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.cli import _parser, main, serve
from gateway.cli.calling import emulated, emulator_command
from gateway.cli.processes import options
from gateway.config import Deployment
from gateway.errors import GatewayError
from gateway.sim.emulator import Emulator
from tests.e2e.rig import configuration, load


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
        await emulator_command._emulator(_parser().parse_args(["emulator"]))
    with pytest.raises(OSError, match="taken"):
        async with serve._service(_parser().parse_args(["serve", "--emulator"]), Deployment()):
            pass
    assert [made["keep_sessions"] for made in emulators] == [100, 100]


@pytest.mark.parametrize(
    ("words", "configured", "host"),
    [
        (["--emulator"], "0.0.0.0", "127.0.0.1"),  # noqa: S104 -- what the shipped configuration has
        (["--emulator"], "::1", "::1"),
        (["--emulator", "--host", "0.0.0.0"], "127.0.0.1", "0.0.0.0"),  # noqa: S104 -- as it was asked for
        ([], "0.0.0.0", "0.0.0.0"),  # noqa: S104 -- a gateway for providers
    ],
)
def test_the_emulator_is_for_this_machine(words: list[str], configured: str, host: str) -> None:
    """Credentials that are printed are good for nobody else, unless the command line says where to listen."""
    options = _parser().parse_args(["serve", *words])
    assert serve._host(options, Deployment.model_validate({"listen": {"host": configured}})) == host


@pytest.mark.parametrize(("host", "told"), [("192.0.2.1", True), ("", False)])
def test_where_others_reach_it_the_missing_credentials_are_explained(
    tmp_path: Path,
    host: str,
    told: bool,
) -> None:
    """Otherwise nobody would know why the command is not printed."""
    deployment, lines = load(configuration(tmp_path, gateway="providers: {twilio: {}}\n"))
    with capture_logs() as entries:
        serve._warn(deployment, lines, _parser().parse_args(["serve", "--emulator"]), host)
    details = [entry["detail"] for entry in entries]
    assert any("no test credentials are made" in detail for detail in details) is told
    assert not any("calls need the emulator" in detail for detail in details)


def test_a_private_listener_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """As in gateway.yaml."""
    assert _parser().parse_args(["serve", "--private", "[::1]:9090"]).private == "[::1]:9090"
    with pytest.raises(SystemExit):
        _parser().parse_args(["serve", "--private", "9090"])
    assert "9090 is not HOST:PORT, expected such as 127.0.0.1:9090" in capsys.readouterr().err


def test_too_few_open_files_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, with what is needed; nothing is said where the limit could be raised."""
    for limit, count in ((900, 1), (1464, 0)):
        monkeypatch.setattr(serve, "raise_limit", lambda wanted, limit=limit: limit)
        with capture_logs() as logs:
            serve._make_room(Deployment(), ())
        assert [entry["event"] for entry in logs] == ["open_files_limited"] * count
        assert all((entry["limit"], entry["needed"]) == (900, 1464) for entry in logs)


@pytest.mark.parametrize("seconds", ["-1", "x", "nan", "inf", "10m"])
def test_seconds_are_a_number_from_zero(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is started."""
    with pytest.raises(SystemExit):
        main(["serve", f"--drain={seconds}"])
    assert capsys.readouterr().err.endswith(f"argument --drain: {seconds} is no time, expected seconds from 0\n")


@pytest.mark.parametrize("words", [("--faults", "f.yaml"), ("--seed", "1")])
def test_faults_need_the_emulator(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """They break its sessions, and nobody else's."""
    assert main(["serve", *words]) == 2
    assert "--faults and --seed without --emulator" in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_exporter_that_is_not_supported_is_told(
    workers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is started, in workers too."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    assert main(["serve", "--workers", workers]) == 2
    assert "OTEL_TRACES_EXPORTER: zipkin is not supported, expected otlp or none" in capsys.readouterr().err
