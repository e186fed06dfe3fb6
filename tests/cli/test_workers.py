"""Several processes on one port."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from bench.target import free_port
from gateway.call.ending import EndReason
from gateway.cli import workers
from gateway.cli.processes.given import METRICS_DIRECTORY
from gateway.cli.processes.places import Service
from gateway.cli.stopping import Stop
from gateway.config.kept import KeptDeployment
from gateway.errors import GatewayError
from gateway.fleet.board import Board, board_file
from gateway.fleet.places import KnownCall
from gateway.sim.emulator import Emulator
from gateway.sim.providers.twilio import signature
from tests.e2e.rig import GATEWAY, LINE, configuration, instant

SALES = LINE.replace("+14255550100", "+14255550101")
PUBLIC = "https://voice.example.com"
SECRET = "token-of-the-workers"
CONFIG = Path(__file__).parents[2] / "config" / "gateway.yaml"


@asynccontextmanager
async def two_workers(config: Path = CONFIG, **environ: str) -> AsyncIterator[str]:
    """The URL of a gateway of two processes; the signal to stop ends them all."""
    port = free_port()
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--config", str(config), "--workers", "2"),
        *("--host", "127.0.0.1", "--port", str(port)),
        cwd=config.parent,
        env={**os.environ, "AZURE_VOICELIVE_ENDPOINT": "http://127.0.0.1:1", "AZURE_VOICELIVE_API_KEY": "k", **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    assert gateway.stderr is not None
    said: list[bytes] = []
    async with asyncio.timeout(120):
        while sum(b'"serving"' in line for line in said) < 2:
            said.append(await gateway.stderr.readline())
            assert said[-1], f"the gateway has ended: {b''.join(said).decode()}"
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        gateway.terminate()
        async with asyncio.timeout(60):
            _, log = await gateway.communicate()
    assert gateway.returncode == 0
    assert log.count(b'"stopping"') == 2


async def test_workers_share_a_port_their_limit_and_their_metrics() -> None:
    """Two workers answer on one port, and count calls together."""
    async with two_workers() as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/readyz") as ready:
            assert (await ready.json())["limit"] == 200
        async with http.get(f"{url}/metrics") as metrics:
            text = await metrics.text()
    assert "gateway_event_loop_lag_seconds_count" in text
    assert "gateway_build_info{python=" in text
    assert "gateway_calls_limit 200.0" in text
    assert "_created" not in text
    assert "gateway_workers_died_total 0.0" in text
    assert "gateway_calls_lost_total 0.0" in text
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds"):
        assert len({sample.labels["pid"] for sample in families[name]}) == 2
    ends = {sample.labels["reason"]: sample.value for sample in families["gateway_call_ends"]}
    assert ends == dict.fromkeys(EndReason, 0)


async def test_workers_take_each_others_tokens() -> None:
    """Whichever worker answered, and whichever the stream reaches: one key was made for all, since none was given.

    A token that was used at one of them is good at none.
    """
    settings = {"GATEWAY_PUBLIC_URL": PUBLIC, "TWILIO_AUTH_TOKEN": SECRET, "GATEWAY_STREAM_KEY": ""}
    refused = 0
    async with (
        Emulator(instant()) as service,
        two_workers(CONFIG, AZURE_VOICELIVE_ENDPOINT=service.endpoint, **settings) as url,
    ):
        for number in range(12):
            path = await answered(url, f"CA{number}")
            async with stream(url, path):
                pass
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                async with stream(url, path):
                    pass
            refused += 1
    assert refused == 12


class Fleet:
    """Workers that are programs of the test, under a supervisor with patience of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *programs: str, spare: bool = False) -> None:
        """Each of ``programs`` is run once, in order, the last one ever again."""
        self.stop = Stop()
        self.descriptor = board_file(5)
        self.board = Board(5, self.descriptor)
        self.started: list[asyncio.subprocess.Process] = []
        self.grown = asyncio.Condition()
        self._programs = programs
        self._create = asyncio.create_subprocess_exec
        monkeypatch.setattr(asyncio, "create_subprocess_exec", self._start)
        for name, value in (("LOOK_S", 0.02), ("HUNG_LOOKS", 100), ("BACK_OFF_S", 0.001), ("START_LOOKS", 3000)):
            monkeypatch.setattr(workers, name, value)
        service = Service(arguments=[], config=CONFIG, host="127.0.0.1", port=0, calls=5, spare=spare)
        monkeypatch.setenv("PYTHONPATH", str(CONFIG.parents[1]))
        shared = {**os.environ, METRICS_DIRECTORY: str(folder), "GATEWAY_STREAM_KEY": "key"}
        kept = KeptDeployment(CONFIG, folder)
        self.supervisor = workers.Supervisor(service, self.board, self.descriptor, kept, shared, self.stop)

    async def _start(self, *_: str, **how: Any) -> asyncio.subprocess.Process:
        program = self._programs[min(len(self.started), len(self._programs) - 1)]
        worker = await self._create(sys.executable, "-c", PRELUDE + program, **how)
        async with self.grown:
            self.started.append(worker)
            self.grown.notify_all()
        return worker

    async def until_started(self, count: int) -> asyncio.subprocess.Process:
        """Wait for the worker that is started as the ``count``-th."""
        async with self.grown:
            await self.grown.wait_for(lambda: len(self.started) >= count)
        return self.started[count - 1]

    async def until_it_serves(self, number: int) -> None:
        """Wait for the first sign of life of a worker."""
        while not self.board.beats(number):  # noqa: ASYNC110 -- another process gives it
            await asyncio.sleep(0.01)


PRELUDE = """
import os, sys, time, signal
if "GATEWAY_SPARE" in os.environ:
    from gateway.cli.processes.given import has_place
    has_place() or os._exit(0)
from gateway.fleet.board import Board
number, descriptor, _ = os.environ["GATEWAY_WORKER"].split("/", 2)
board = Board(5, int(descriptor), int(number))
def serve(seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        board.beat()
        time.sleep(0.01)
"""
SERVES = "serve()"


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Make a fleet of these programs."""
    made: list[Fleet] = []

    def make(*programs: str, spare: bool = False) -> Fleet:
        made.append(Fleet(monkeypatch, tmp_path, *programs, spare=spare))
        return made[-1]

    yield make
    for one in made:
        os.close(one.descriptor)


async def test_a_worker_that_dies_in_service_is_replaced(fleet: Callable[..., Fleet]) -> None:
    """However soon and however often, and the log and the board tell of its calls; another goes on with them."""
    dies = (
        "place = board.places.take(); board.places.name(place, ('acs', 'C1'), 'sales', None); serve(0.1); os._exit(9)"
    )
    held = fleet(dies, "serve(0.1); os._exit(9)", "os._exit(9)", "os._exit(9)", SERVES)
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            kept = group.create_task(held.supervisor.keep_running(1))
            await held.until_started(5)
            assert not kept.done()
            held.stop.request("SIGTERM")
    deaths = [entry for entry in logs if entry["event"] == "worker_died"]
    assert [entry["calls"] for entry in deaths] == [["C1"], [], [], []]
    assert {(entry["worker"], entry["returncode"], entry["hung"]) for entry in deaths} == {(1, 9, False)}
    assert (held.board.died, held.board.lost) == (4, 1)
    assert held.board.places.adopt() == [KnownCall("acs", "C1", "sales")]


async def test_a_replacement_that_cannot_start_ends_no_other_worker(fleet: Callable[..., Fleet]) -> None:
    """It is tried later, each time later; until the word to stop."""
    held = fleet(SERVES, "os._exit(2)")
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        one = group.create_task(held.supervisor.keep_running(1))
        first = await held.until_started(1)
        await held.until_it_serves(1)
        other = group.create_task(held.supervisor.keep_running(2))
        await held.until_started(6)
        assert first.returncode is None
        assert not one.done()
        assert not other.done()
        held.stop.request("SIGTERM")
    assert len({worker.pid for worker in held.started}) == len(held.started)


async def test_a_system_without_room_for_a_process_ends_no_other_worker(
    fleet: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No replacement can be made while memory, processes or descriptors are used up: it is tried later."""
    held = fleet(SERVES, "serve(0.1)", SERVES)
    create, refusals = asyncio.create_subprocess_exec, [OSError(errno.EAGAIN, "no room"), OSError(errno.EMFILE, "full")]

    async def without_room(*command: str, **how: Any) -> asyncio.subprocess.Process:
        if len(held.started) == 2 and refusals:
            raise refusals.pop()
        return await create(*command, **how)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", without_room)
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            group.create_task(held.supervisor.keep_running(1))
            first = await held.until_started(1)
            await held.until_it_serves(1)
            group.create_task(held.supervisor.keep_running(2))
            await held.until_started(3)
            assert first.returncode is None
            held.stop.request("SIGTERM")
    refused = [entry for entry in logs if entry["event"] == "worker_not_started"]
    assert [(entry["worker"], entry["detail"]) for entry in refused] == [(2, "full"), (2, "no room")]


async def test_a_system_without_room_at_the_start_is_told(
    fleet: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command fails with the system's reason."""
    held = fleet(SERVES)

    async def without_room(*_: str, **__: Any) -> asyncio.subprocess.Process:
        raise OSError(errno.EAGAIN, "no room")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", without_room)
    with pytest.raises(GatewayError, match="worker 1 cannot be started: no room"):
        await held.supervisor.keep_running(1)


async def test_a_replacement_finds_what_a_cleaner_of_temporary_files_has_taken(fleet: Callable[..., Fleet]) -> None:
    """The folders of configuration and metrics are there again when it starts."""
    looks = "assert os.path.isfile(_ + '/gateway.yaml') and os.path.isdir(os.environ['PROMETHEUS_MULTIPROC_DIR'])\n"
    held = fleet("import shutil; serve(0.1); shutil.rmtree(_); os._exit(9)", looks + SERVES)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        group.create_task(held.supervisor.keep_running(1))
        replacement = await held.until_started(2)
        died = group.create_task(replacement.wait())
        beats = held.board.beats(1)
        while held.board.beats(1) == beats and not died.done():  # noqa: ASYNC110 -- another process gives it
            await asyncio.sleep(0.01)
        assert not died.done()
        held.stop.request("SIGTERM")


async def test_a_back_off_grows_to_its_limit(fleet: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch) -> None:
    """It doubles, and begins anew when a worker has lived for a while."""
    waits: list[float] = []
    timeout = asyncio.timeout

    def waiting(delay: float) -> asyncio.Timeout:
        waits.append(delay)
        return timeout(0)

    monkeypatch.setattr(workers, "BACK_OFF_LIMIT_S", 5.0)
    held = fleet("serve(0.1)", *["os._exit(2)"] * 4, SERVES)
    monkeypatch.setattr(workers, "BACK_OFF_S", 1.0)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        monkeypatch.setattr("gateway.cli.workers.asyncio.timeout", waiting)
        group.create_task(held.supervisor.keep_running(1))
        await held.until_started(6)
        monkeypatch.setattr("gateway.cli.workers.asyncio.timeout", timeout)
        held.stop.request("SIGTERM")
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0]


async def test_a_worker_that_hangs_is_killed_and_replaced(fleet: Callable[..., Fleet]) -> None:
    """Nothing but a kill ends it."""
    held = fleet("signal.signal(signal.SIGTERM, signal.SIG_IGN); serve(0.1); time.sleep(600)", SERVES)
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            group.create_task(held.supervisor.keep_running(1))
            await held.until_started(2)
            held.stop.request("SIGTERM")
    (died,) = [entry for entry in logs if entry["event"] == "worker_died"]
    assert (died["hung"], died["returncode"]) == (True, -signal.SIGKILL)


async def test_a_worker_that_hangs_does_not_keep_a_signal_from_ending_them(fleet: Callable[..., Fleet]) -> None:
    """Also one that is stopped, to which no signal comes through."""
    held = fleet("signal.signal(signal.SIGTERM, lambda *_: sys.exit()); serve()")
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        group.create_task(held.supervisor.keep_running(1))
        worker = await held.until_started(1)
        await held.until_it_serves(1)
        worker.send_signal(signal.SIGSTOP)
        held.stop.request("SIGTERM")
    assert worker.returncode == -signal.SIGKILL
    assert len(held.started) == 1


async def test_a_worker_that_cannot_start_ends_them_all(fleet: Callable[..., Fleet]) -> None:
    """Before any could: what is wrong is the configuration or the machine, and the command fails."""
    held = fleet("os._exit(2)")
    with pytest.raises(GatewayError, match="worker 1 ended with 2 before it could serve"):
        await held.supervisor.keep_running(1)


async def test_a_broken_configuration_meanwhile_keeps_no_worker_from_coming_back(tmp_path: Path) -> None:
    """The command, on files that break when a worker is killed: it comes back with what was good last."""
    file = configuration(tmp_path, {"support": LINE, "sales": SALES}, f"{GATEWAY}limits: {{calls: 20}}\n")
    async with two_workers(file) as url:
        file.write_text("limits: {calls: many}\n", "utf-8")
        (tmp_path / "lines" / "support.yaml").write_text("numbers: [", "utf-8")
        (tmp_path / ".env").write_bytes(b"\xff")
        told = await told_by_both(url)
        os.kill(min(told), signal.SIGKILL)
        again = await told_by_both(url, but=min(told))
        assert set(again) - set(told)
        assert set(again.values()) == {20.0}
        opened = 0
        for _ in range(12):
            async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/stream/twilio/support"):
                opened += 1
        assert opened == 12


async def told_by_both(url: str, but: int = 0) -> dict[int, float]:
    """The processes of the two workers, as soon as there are two, each with the limit of calls."""
    async with asyncio.timeout(120):
        while True:
            async with aiohttp.ClientSession() as http:
                try:
                    async with http.get(f"{url}/metrics") as said:
                        families = {f.name: f.samples for f in text_string_to_metric_families(await said.text())}
                except aiohttp.ClientError:
                    continue
            pids = {int(sample.labels["pid"]) for sample in families["process_max_fds"]} - {but}
            if len(pids) == 2:
                (limit,) = families["gateway_calls_limit"]
                return dict.fromkeys(pids, limit.value)
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("times", [2])
async def test_a_limit_is_counted_exactly_between_workers(tmp_path: Path, times: int) -> None:
    """As many calls as the limit are all taken, however the kernel spreads them; one more is rejected."""
    public = "https://voice.example.com"
    file = configuration(
        tmp_path, gateway=f"public_url: {public}\nproviders: {{twilio: {{}}}}\nlimits: {{calls: 20}}\n"
    )
    async with two_workers(file, TWILIO_AUTH_TOKEN=SECRET, GATEWAY_STREAM_KEY="") as url:
        for round_ in range(times):
            async with AsyncExitStack() as streams:
                paths = await asyncio.gather(*(answered(url, f"CA{round_}-{number}") for number in range(20)))
                assert "" not in paths
                assert await answered(url, f"CA{round_}-20") == ""
                async with asyncio.TaskGroup() as group:
                    for path in paths:
                        group.create_task(streams.enter_async_context(stream(url, path)))
                assert await answered(url, f"CA{round_}-21") == ""
            async with asyncio.timeout(60), aiohttp.ClientSession() as http:
                while True:
                    async with http.get(f"{url}/readyz") as ready:
                        if (await ready.json())["calls"] == 0:
                            break


@asynccontextmanager
async def stream(url: str, path: str) -> AsyncIterator[None]:
    """A stream that was let in, on a connection of its own: the kernel chooses a worker for each."""
    signed = {"X-Twilio-Signature": signature(SECRET, PUBLIC.replace("https", "wss") + path)}
    async with aiohttp.ClientSession() as http, http.ws_connect(url + path, headers=signed):
        yield


async def answered(url: str, call_id: str) -> str:
    """The path of the stream that a webhook is answered with; nothing where the call is rejected."""
    form = {"CallSid": call_id, "From": "+14155550123", "To": "+14255550100"}
    signed = {"X-Twilio-Signature": signature(SECRET, f"{PUBLIC}/answer/twilio", form)}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/answer/twilio", data=form, headers=signed) as said:
        found = Xml.fromstring(await said.text()).find("Connect/Stream")  # noqa: S314 -- our own document
    return "" if found is None else found.get("url", "").removeprefix(PUBLIC.replace("https", "wss"))


def test_workers_share_one_key() -> None:
    """The operator's, or one that is made up: also where the variable holds nothing but a line end."""
    assert workers.shared_key({"GATEWAY_STREAM_KEY": "k3y\n"}) == "k3y"
    assert len(workers.shared_key({})) == len(workers.shared_key({"GATEWAY_STREAM_KEY": " \n"})) == 43
