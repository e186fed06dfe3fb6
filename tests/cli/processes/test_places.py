"""A worker's place: its sockets, and its number on the board."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.target import free_port
from gateway.cli.processes.given import LISTENERS, METRICS_DIRECTORY, WORKER
from gateway.cli.processes.places import Places, Service
from gateway.config.kept import KeptDeployment
from gateway.fleet.board import WORKERS_LIMIT
from tests.cli.test_workers import CONFIG


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """The places of workers on a free port, with one for health beside it."""
    private = ("127.0.0.1", free_port())
    service = Service(arguments=[], config=CONFIG, host="127.0.0.1", port=free_port(), calls=5, private=private)
    made = Places(service, 7, KeptDeployment(CONFIG, tmp_path))
    yield made
    for place in (1, 2):
        made.close_sockets(place)


@pytest.fixture
def environs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments of the processes that are started; the second one cannot be."""
    found: list[dict[str, str]] = []

    async def start(*_: str, env: dict[str, str], **__: Any) -> object:
        found.append(env)
        if len(found) == 2:
            raise OSError
        return object()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    return found


async def test_a_successor_has_the_sockets_of_its_place_and_a_number_of_its_own(
    places: Places, environs: list[dict[str, str]], tmp_path: Path
) -> None:
    """Connections that wait in them reach it; a number is free again once its worker has ended, or was not started."""
    shared = {METRICS_DIRECTORY: str(tmp_path), "PATH": os.defpath}
    first = await places.start(1, shared)
    with pytest.raises(OSError):  # noqa: PT011 -- the system's own
        await places.start(2, shared)
    second, successor = await places.start(2, shared), await places.start(1, shared)
    assert [one.number for one in (first, second, successor)] == [1, 2, WORKERS_LIMIT]
    assert environs[0][WORKER].startswith("1/7/")
    assert environs[0][LISTENERS] == environs[3][LISTENERS] != environs[2][LISTENERS]
    assert [len(each.split(",")) for each in environs[0][LISTENERS].split(";")] == [1, 1]
    places.forget(first)
    assert (await places.start(1, shared)).number == 1
    places.close_sockets(1)
    assert (await places.start(1, shared)).number == WORKERS_LIMIT - 1
