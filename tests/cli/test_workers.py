"""Several processes on one port."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree as Xml

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.call.ending import EndReason
from gateway.cli import workers
from gateway.cli.stopping import Stop
from gateway.errors import GatewayError
from gateway.sim.providers.twilio import signature

CONFIG = Path(__file__).parents[2] / "config" / "gateway.yaml"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def two_workers(**environ: str) -> AsyncIterator[str]:
    """The URL of a gateway of two processes; the signal to stop ends them all."""
    port = free_port()
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--config", str(CONFIG), "--workers", "2"),
        *("--host", "127.0.0.1", "--port", str(port)),
        env={**os.environ, "AZURE_VOICELIVE_ENDPOINT": "http://127.0.0.1:1", "AZURE_VOICELIVE_API_KEY": "k", **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    assert gateway.stderr is not None
    served = 0
    async with asyncio.timeout(30):
        while served < 2:
            served += b'"serving"' in await gateway.stderr.readline()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        gateway.terminate()
        async with asyncio.timeout(20):
            _, log = await gateway.communicate()
    assert gateway.returncode == 0
    assert log.count(b'"stopping"') == 2


async def test_workers_share_a_port_their_limit_and_their_metrics() -> None:
    """Two workers answer on one port, each with half of the calls."""
    async with two_workers() as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/readyz") as ready:
            assert (await ready.json())["limit"] == 100
        async with http.get(f"{url}/metrics") as metrics:
            text = await metrics.text()
    assert "gateway_event_loop_lag_seconds_count" in text
    assert "gateway_build_info{python=" in text
    assert "gateway_calls_limit 200.0" in text
    assert "_created" not in text
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds"):
        assert len({sample.labels["pid"] for sample in families[name]}) == 2
    ends = {sample.labels["reason"]: sample.value for sample in families["gateway_call_ends"]}
    assert ends == dict.fromkeys(EndReason, 0)


async def test_workers_take_each_others_tokens() -> None:
    """Whichever worker answered, and whichever the stream reaches: one key was made for all, since none was given."""
    public = "https://voice.example.com"
    settings = {"GATEWAY_PUBLIC_URL": public, "TWILIO_AUTH_TOKEN": "12345", "GATEWAY_STREAM_KEY": ""}
    opened = 0
    async with two_workers(**settings) as url:
        for number in range(12):
            form = {"CallSid": f"CA{number}", "From": "+14155550123", "To": "+14255550100"}
            headers = {"X-Twilio-Signature": signature("12345", f"{public}/answer/twilio", form)}
            async with aiohttp.ClientSession() as http:  # a connection of its own: the kernel chooses anew
                async with http.post(f"{url}/answer/twilio", data=form, headers=headers) as said:
                    stream = Xml.fromstring(await said.text()).find("Connect/Stream")  # noqa: S314 -- our own document
                assert stream is not None
                path = stream.get("url", "").removeprefix("wss://voice.example.com")
            async with aiohttp.ClientSession() as http, http.ws_connect(url + path):
                opened += 1
    assert opened == 12


async def test_a_worker_that_dies_in_service_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However often; until the word to stop."""
    monkeypatch.setattr(workers, "QUICK_END_S", 0.0)
    stop = Stop()
    started = 0
    create = asyncio.create_subprocess_exec

    async def counting(*command: str, **how: object) -> asyncio.subprocess.Process:
        nonlocal started
        started += 1
        if started == 3:
            stop.told("SIGTERM")
        return await create(sys.executable, "-c", "pass", env=dict(os.environ))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counting)
    async with asyncio.timeout(20):
        await workers._keep_running(1, [], {workers.METRICS_DIRECTORY: str(tmp_path)}, stop)
    assert started == 3


async def test_a_worker_that_cannot_start_ends_them_all(tmp_path: Path) -> None:
    """A configuration that is wrong is told once by each worker, and the command fails."""
    environment = {**os.environ, workers.METRICS_DIRECTORY: str(tmp_path)}
    with pytest.raises(GatewayError, match="worker 1 ended with 2 before it could serve"):
        await workers._keep_running(1, ["serve", "--config", "/nowhere.yaml"], environment, Stop())


def test_the_limit_of_calls_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone a process takes all; of three workers each takes a third, rounded up."""
    monkeypatch.delenv(workers.WORKER, raising=False)
    assert workers.share_of(200) == 200
    monkeypatch.setenv(workers.WORKER, "2/3")
    assert workers.share_of(200) == 67


def test_workers_share_one_key() -> None:
    """The operator's, or one that is made up: also where the variable holds nothing but a line end."""
    assert workers.shared_key({"GATEWAY_STREAM_KEY": "k3y\n"}) == "k3y"
    assert len(workers.shared_key({})) == len(workers.shared_key({"GATEWAY_STREAM_KEY": " \n"})) == 43
