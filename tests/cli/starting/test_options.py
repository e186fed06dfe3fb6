"""The options that commands which listen have in common."""

import pytest

from gateway.cli.starting.commands import command_line


@pytest.mark.parametrize("command", ["serve", "emulator"])
def test_an_address_to_listen_on_may_stand_in_brackets(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As in a URL, and one with a port in it is told; alike in both commands and in gateway.yaml."""
    assert command_line().parse_args([command, "--host", "[::1]"]).host == "::1"
    with pytest.raises(SystemExit):
        command_line().parse_args([command, "--host", "127.0.0.1:8080"])
    assert "has a port in it, expected 127.0.0.1 as host and 8080 as port" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "emulator"])
@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_number_of_the_transport(command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """0 takes a free one; what is none is named."""
    assert command_line().parse_args([command, "--port", "0"]).port == 0
    with pytest.raises(SystemExit):
        command_line().parse_args([command, f"--port={port}"])
    assert f"{port} is not a port, expected 0 to 65535" in capsys.readouterr().err
