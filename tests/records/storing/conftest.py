"""Object stores for the tests of this folder, one of each for all of them."""

from collections.abc import Iterator

import pytest
from fsspec.asyn import get_loop

from bench.target import free_port
from tests.records.storing.servers import Server, azurite, weed


@pytest.fixture(scope="session", autouse=True)
def loop_of_fsspec() -> None:
    """The loop of all object stores, whose sockets last as long as the process."""
    get_loop()


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Azurite."""
    with azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS."""
    with weed(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture(params=["azure", "s3"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Each of both in turn, with its environment."""
    found: Server = request.getfixturevalue(request.param)
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    return free_port()
