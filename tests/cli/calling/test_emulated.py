"""The emulator of ``gateway emulator`` and ``gateway serve --emulator``, with faults on demand."""

from argparse import Namespace
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.cli.calling.emulated import emulator_of
from gateway.cli.starting.commands import command_line
from gateway.errors import InputError

FAULTS = """
service:
  - {kind: refuse, status: [400, 599], connection: 2}
"""


def options(*words: str) -> Namespace:
    """The options of ``gateway emulator``."""
    return command_line().parse_args(["emulator", *words])


async def status(endpoint: str) -> int:
    """The status of a handshake."""
    url = f"{endpoint}/voice-live/realtime?api-version=2025-10-01&model=gpt-4o"
    async with aiohttp.ClientSession(headers={"api-key": "k"}) as http:
        try:
            async with http.ws_connect(url):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


async def test_its_connections_count_from_its_start(tmp_path: Path) -> None:
    """The second of all is refused, whosever it is, and the seed of a new draw is told."""
    file = tmp_path / "faults.yaml"
    file.write_text(FAULTS.replace("[400, 599]", "429"), "utf-8")
    with capture_logs() as logs:
        async with emulator_of(options("--faults", str(file))) as emulator:
            assert [await status(emulator.endpoint) for _ in range(3)] == [101, 429, 101]
    (told,) = [entry for entry in logs if entry["event"] == "faults_drawn"]
    assert told["file"] == str(file)
    assert isinstance(told["seed"], int)


async def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    """The command line's takes precedence over the file's."""
    file = tmp_path / "faults.yaml"
    file.write_text("seed: 3\nservice: [{kind: cut, when: {s: [1, 1000000]}, connection: every}]\n", "utf-8")
    moments = []
    for words in ((), ("--seed", "3"), ("--seed", "4")):
        emulator = emulator_of(options("--faults", str(file), *words))
        connection = emulator.faults.connect()
        connection.begin(0.0)
        moments.append(connection.next_at())
    assert moments[0] == moments[1] != moments[2]


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """Faults of a phone that is not there, a seed without faults, a file that is none."""
    file = tmp_path / "faults.yaml"
    file.write_text("phone: [{kind: loss, share: 0.1}]\n", "utf-8")
    with pytest.raises(InputError, match=r"faults\.yaml breaks a phone, and none is simulated here"):
        emulator_of(options("--faults", str(file)))
    with pytest.raises(InputError, match="--seed: there is nothing to draw"):
        emulator_of(options("--seed", "1"))
    file.write_text("service: [{kind: melt}]\n", "utf-8")
    with pytest.raises(InputError, match="melt"):
        emulator_of(options("--faults", str(file)))
