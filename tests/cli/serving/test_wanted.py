"""The address on which a deployment listens."""

import pytest

from gateway.cli.serving.wanted import host_of
from gateway.cli.starting.commands import command_line
from gateway.config import Deployment


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
    options = command_line().parse_args(["serve", *words])
    assert host_of(options, Deployment.model_validate({"listen": {"host": configured}})) == host
