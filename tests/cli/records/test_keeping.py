"""``gateway records``: its commands."""

import pytest

from gateway.cli.starting.commands import command_line


@pytest.mark.parametrize("words", [["deliveries"], ["redeliver", "--dead"]])
def test_each_command_is_there(words: list[str]) -> None:
    """With something that runs it."""
    assert callable(command_line().parse_args(["records", *words]).run)


def test_a_command_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands are told."""
    with pytest.raises(SystemExit):
        command_line().parse_args(["records"])
    assert "COMMAND" in capsys.readouterr().err
