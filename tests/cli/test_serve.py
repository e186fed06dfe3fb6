"""The options of ``gateway serve``, which are checked before anything is started."""

import pytest

from gateway.cli import main
from gateway.cli.starting.commands import command_line


def test_a_private_listener_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """As in gateway.yaml."""
    assert command_line().parse_args(["serve", "--private", "[::1]:9090"]).private == "[::1]:9090"
    with pytest.raises(SystemExit):
        command_line().parse_args(["serve", "--private", "9090"])
    assert "9090 is not HOST:PORT, expected such as 127.0.0.1:9090" in capsys.readouterr().err


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
