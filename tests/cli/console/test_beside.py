"""The console that ``gateway serve`` brings."""

import socket
import threading
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.call.metrics import Metrics
from gateway.cli.console.beside import console_beside, console_of_workers, keyed
from gateway.config import Deployment, load_deployment
from gateway.config.secrets import values_of
from gateway.errors import GatewayError
from tests.e2e.rig import LINE


def deployment_of(folder: Path, console: str) -> Deployment:
    """Return a deployment with this console."""
    file = folder / "gateway.yaml"
    file.write_text(f"console: {console}\n", "utf-8")
    return load_deployment(file, {})


async def test_it_is_served_in_a_thread_that_ends_with_it(tmp_path: Path) -> None:
    """On an address of its own, and not on the loop of the calls."""
    async with console_beside(deployment_of(tmp_path, "{listen: '127.0.0.1:0'}")) as url:
        assert "console" in [thread.name for thread in threading.enumerate()]
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            assert answer.status == 200
    assert "console" not in [thread.name for thread in threading.enumerate()]


async def test_its_refusals_are_in_the_metrics_of_the_gateway(tmp_path: Path) -> None:
    """The thread of the console counts them."""
    metrics = Metrics(())
    deployment = deployment_of(tmp_path, "{listen: '127.0.0.1:0'}")
    async with (
        console_beside(deployment, on_refusal=metrics.console_refused) as url,
        aiohttp.ClientSession() as client,
        client.get(url, headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == 421
    assert metrics.registry.get_sample_value("gateway_console_refused_total", {"reason": "wrong_host"}) == 1


async def test_none_is_served_where_it_is_off(tmp_path: Path) -> None:
    """No thread and no address."""
    async with console_beside(deployment_of(tmp_path, "false")) as url:
        assert url == ""
        assert "console" not in [thread.name for thread in threading.enumerate()]


async def test_an_address_that_is_taken_is_an_error_only_where_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second gateway on this machine takes calls all the same, and says that it has no console."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        written = deployment_of(tmp_path, f"{{listen: '{where}'}}")
        with pytest.raises(GatewayError, match=f"console: cannot listen on {where}"):
            async with console_beside(written):
                pass
        console = type(written.console).model_construct(listen=where, enabled=True, _fields_set=set())
        with capture_logs() as logs:
            async with console_beside(written.model_copy(update={"console": console})) as url:
                assert url == ""
    assert [entry["event"] for entry in logs] == ["console_not_served"]


def test_tokens_have_a_key_that_console_and_gateway_share(tmp_path: Path) -> None:
    """That of the deployment, else that of the workers, else one that is made up."""
    bare = deployment_of(tmp_path, "false")
    assert values_of(keyed(bare, "shared").streams.key) == ("shared",)
    assert len(values_of(keyed(bare).streams.key)[0]) > 32
    own = keyed(bare, "shared")
    assert keyed(own, "other") is own


async def test_the_console_of_workers_calls_them(tmp_path: Path) -> None:
    """With the key that they share, at the address on which all of them listen."""
    file = tmp_path / "gateway.yaml"
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "support.yaml").write_text(LINE, "utf-8")
    file.write_text("console: {listen: '127.0.0.1:0'}\n", "utf-8")
    async with (
        console_of_workers(load_deployment(file, {}), "127.0.0.1", 8080, tmp_path, "shared") as url,
        aiohttp.ClientSession() as client,
        client.get(f"{url}/phone/support") as answer,
    ):
        assert answer.status == 200
