"""Fixtures of every test: a leaked task or socket is a failure."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from hypothesis import settings

from gateway.network.transports import connecting_fast

settings.register_profile("any machine", deadline=None)  # on a busy one, any example may take a second
settings.load_profile("any machine")

LONGEST = (
    "test_wheel",
    "test_readme",
    "e2e/test_workers",
    "e2e/in_browser/test_phone",
    "e2e/test_records",
    "e2e/test_any_request",
    "e2e/test_unsteady_phones",
    "e2e/test_hang_up",
    "e2e/test_chaos_1",
    "e2e/test_chaos_2",
    "e2e/test_chaos_3",
    "e2e/test_chaos_4",
    "e2e/test_calls",
    "cli/test_stopping",
    "cli/test_workers",
    "e2e/test_cross_talk",
    "e2e/test_unread_log",
    "sim/emulator/test_sdk_contract",
    "e2e/test_zombies",
    "e2e/test_ground_truth",
    "e2e/test_records_ground_truth",
    "e2e/test_recordings_on_their_way",
    "logs/test_outlet",
    "e2e/test_attacks",
    "call/test_random_call",
    "e2e/test_soak",
    "e2e/test_sharing",
    "cli/test_main",
    "bench/test_beside_tools",
    "doctor/test_mistakes",
)
"""Files that take ten seconds or more, the longest first: begun last, they would keep the other process waiting."""
FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files."""
    places = {FOLDER / f"{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_configure() -> None:
    """Let signals end a process, as the tests expect: what ``nohup`` or a shell's ``&`` starts ignores them."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--sockets public``: the same tests on the public names of libraries alone."""
    parser.addoption("--sockets", choices=("fast", "public"), default="fast", help="the WebSockets of both legs")


@pytest.fixture(scope="module")
def public_sockets() -> Iterator[None]:
    """Let both legs find that aiohttp's private names are gone."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.sockets.choice.lack_of_aiohttp", lambda: "a test took them away")
        yield


@pytest.fixture(scope="module", autouse=True)
def as_wanted(request: pytest.FixtureRequest) -> None:
    """Run every test on the sockets that ``--sockets`` names."""
    if request.config.getoption("--sockets") == "public":
        request.getfixturevalue("public_sockets")


@pytest.fixture(autouse=True)
def without_what_is_lacking(request: pytest.FixtureRequest) -> None:
    """Skip what needs more than public names give, where a test has no more."""
    is_public = "public_sockets" in request.fixturenames or request.config.getoption("--sockets") == "public"
    if is_public and request.node.get_closest_marker("needs_fast_sockets"):
        pytest.skip("public names do not give the reason of a close frame, nor the body of a refusal")


def open_sockets() -> int:
    """Return the number of sockets that this process holds."""
    fds = Path("/proc/self/fd")
    count = 0
    for fd in fds.iterdir():
        try:
            count += os.readlink(fd).startswith("socket:")  # noqa: PTH115 -- Path.readlink cannot resolve socket:[n]
        except FileNotFoundError:
            continue
    return count


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Restore the log's level, which a command that a test runs in this process sets."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(autouse=True)
def no_leaks_in_async_tests(request: pytest.FixtureRequest) -> None:
    """Watch async tests for tasks and sockets that they leave open."""
    if request.node.get_closest_marker("asyncio"):
        request.getfixturevalue("no_leaks")


@pytest_asyncio.fixture
async def no_leaks() -> AsyncIterator[None]:
    """Fail a test whose tasks or sockets outlive it. Cancellation and closing get a few turns of the loop."""
    before = open_sockets()
    yield
    tasks = asyncio.all_tasks()
    for _ in range(50):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if not tasks and open_sockets() <= before:
            return
        await asyncio.sleep(0)
    assert not tasks, f"tasks left behind: {tasks}"
    assert open_sockets() <= before, "sockets left behind"


@pytest.fixture(params=["loop", "aiofastnet"])
def transports(request: pytest.FixtureRequest) -> None:
    """Run a test twice: on the event loop's own transports, and on those that it has where aiofastnet is installed."""
    if request.param == "aiofastnet" and request.node.get_closest_marker("asyncio"):
        request.getfixturevalue("on_aiofastnet")


@pytest_asyncio.fixture
async def on_aiofastnet() -> None:
    """Let the event loop of a test have aiofastnet's transports for TLS, as that of the commands does."""
    connecting_fast(asyncio.get_running_loop())


@pytest.fixture
def unused_tcp_port() -> Iterator[int]:
    """Return a port of 127.0.0.1 that refuses connections, and that nobody else gets while the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, and not listening
        port: int = held.getsockname()[1]
        yield port
