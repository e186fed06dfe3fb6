"""What a load balancer and a dashboard see."""

import asyncio
import importlib.metadata
import json
import time
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client.values import MultiProcessValue

from gateway.audio.formats import PCMU
from gateway.call.calls import Calls
from gateway.call.ending import EndReason
from gateway.call.metrics import KNOWN_ERRORS, Metrics
from gateway.call.refusal import Refusal
from gateway.fleet.board import Board
from gateway.routes.health import Health, _exposition
from gateway.routes.worker_processes import WorkerDeaths
from gateway.voice.bot import Model
from gateway.voice.endpoints.circuit import Failure
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.metrics import EndpointMetrics
from gateway.voice.endpoints.pool import Pool
from tests.e2e.bare_phone import bare_phone, media
from tests.e2e.rig import GATEWAY, LINE, Rig, configuration, instant, listening, rig, session_of


async def get(held: Rig, path: str) -> tuple[int, Any]:
    """Status and JSON of a route."""
    async with aiohttp.ClientSession() as http, http.get(held.gateway.url + path) as said:
        return said.status, await said.json()


def told(status: str, calls: int = 1) -> dict[str, object]:
    """The answer of a gateway for one call."""
    return {"status": status, "calls": calls, "limit": 1, "voice_live": "reachable"}


async def test_alive_and_ready(tmp_path: Path) -> None:
    """200 with how many calls there are and how many there may be."""
    async with rig(configuration(tmp_path, gateway=GATEWAY + "limits: {calls: 7}\n"), instant()) as held:
        assert await get(held, "/healthz") == (200, {"status": "alive", "calls": 0})
        assert await get(held, "/readyz") == (
            200,
            {"status": "ready", "calls": 0, "limit": 7, "voice_live": "reachable"},
        )


async def test_what_the_service_refuses_is_shown(tmp_path: Path) -> None:
    """Beside the state, from the first call on that had to do without; the metric counts each, by member."""
    script = instant(refuse={"updates": [{"member": "metadata"}]})
    async with rig(configuration(tmp_path), script) as held:
        assert await held.metric("gateway_session_reduced_total", member="metadata") == 0
        assert await held.metric("gateway_session_differs_total", member="voice") == 0
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            await phone.next("media")
            await phone.hang_up()
        await held.end_of(phone.call_id)
        _, shown = await get(held, "/readyz")
        assert shown["session_reduced"] == [{"answering": "gpt-4.1", "left_out": ["metadata"], "passed_over": False}]
        assert await held.metric("gateway_session_reduced_total", member="metadata") == 1


async def ready(*names: str, failed: str = "", **known: Any) -> tuple[int, dict[str, Any]]:
    """The answer of a gateway with these endpoints: the first has a session, one has failed; ``known`` is the rest."""
    board, now = Board(5), asyncio.get_running_loop().time()
    pool = Pool([Endpoint(name, priority) for priority, name in enumerate(names)], board.sessions)
    pool.open(Model("gpt-realtime"), now)
    pool.note_ready(names[0], 0.2506)
    if failed:
        pool.note_failed(failed, Failure.UNREACHABLE, now)
    service: Any = SimpleNamespace(pool=pool, shown_reductions=tuple)
    metrics = Metrics(["twilio"])
    of_endpoints = EndpointMetrics(metrics.registry, list(names))
    health = Health(Calls(5, board.places), metrics, board, service, of_endpoints, **known)
    said = await health.ready(make_mocked_request("GET", "/readyz"))
    return said.status, json.loads(said.text or "")


async def test_endpoints_are_shown_where_there_are_several() -> None:
    """Each with its circuit, its sessions, its last failure and how long a session takes, as far as it is known."""
    status, body = await ready("west", "north", failed="north")
    assert (status, body["voice_live"]) == (200, "reachable")
    assert body["endpoints"] == [
        {"name": "west", "circuit": "closed", "sessions": 1, "sessions_minute": 1, "ready_ms": 251},
        {"name": "north", "circuit": "open", "sessions": 0, "sessions_minute": 0, "last_failure": "unreachable"},
    ]


async def test_what_limits_calls_and_how_sockets_are_made_is_shown() -> None:
    """The load in place of a number, where it is the limit; the legs that do without fast sockets."""
    assert (await ready("west"))[1] == {"status": "ready", "calls": 0, "limit": 5, "voice_live": "reachable"}
    load: Any = SimpleNamespace(busy=0.4567)
    shown = (await ready("west", load=load, public_legs=("phone",)))[1]
    assert shown["limit"] == "auto"
    assert shown["busy"] == 0.46
    assert shown["public_sockets"] == ["phone"]


async def test_an_endpoint_that_is_alone_is_shown_once_it_fails() -> None:
    """With what failed; while all is well there is nothing to tell of it."""
    assert "endpoints" not in (await ready("west"))[1]
    status, body = await ready("west", failed="west")
    assert (status, body["status"], body["voice_live"]) == (503, "unreachable", "unreachable")
    assert [(one["circuit"], one["last_failure"]) for one in body["endpoints"]] == [("open", "unreachable")]


async def test_full_and_draining_are_not_ready(tmp_path: Path) -> None:
    """503 tells a load balancer to go elsewhere; the process is alive all the same."""
    async with rig(configuration(tmp_path, gateway=GATEWAY + "limits: {calls: 1}\n"), instant()) as held:
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            await phone.next("media")
            assert await get(held, "/readyz") == (503, told("full"))
            assert await get(held, "/healthz") == (200, {"status": "alive", "calls": 1})
            async with asyncio.TaskGroup() as group:
                draining = group.create_task(held.gateway.calls.drain(10, 1))
                await asyncio.sleep(0)
                assert await get(held, "/readyz") == (503, told("draining"))
                await phone.hang_up()
                await draining
        assert await get(held, "/readyz") == (503, told("draining", calls=0))


async def test_metrics_without_the_folder_of_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cleaner of temporary files took it: the worker that is asked tells what it knows itself."""
    async with rig(configuration(tmp_path), instant()) as held:
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "gone"))
        assert await held.metric("gateway_calls_limit") == 200


async def test_metrics_of_a_call(tmp_path: Path) -> None:
    """A call with an answer and an interruption: calls, end, turn latency, barge-in stop, lag, late frames."""
    long = "A sentence that takes a while to say, because it is long enough to be talked over by the caller."
    script = instant({"say": long}, {"say": long}, greeting=long)
    async with rig(configuration(tmp_path, {"support": LINE.replace("Hello.", long)}), script) as held:
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            session = await session_of(held, phone.call_id)
            await phone.next("media")
            assert await held.metric("gateway_calls") == 1
            await session.until(lambda one: any(record.type == "response.done" for record in one.sent))
            await session.speech_started()
            await phone.next("clear")
            await session.speech_stopped()
            await held.until(lambda: len(held.fields(phone.call_id, "reply_started")) == 2)
            await phone.send("garbage", '{"event":"news"}', media())
            await held.until(lambda: held.fields(phone.call_id, "unknown_message"))
            await phone.hang_up()
            await held.end_of(phone.call_id)
        await held.until_quiet()
        assert await held.metric("gateway_calls") == 0
        assert await held.metric("gateway_calls_started_total", line="support", provider="twilio") == 1
        assert await held.metric("gateway_call_ends_total", by="caller", reason="caller_hung_up") == 1
        assert await held.metric("gateway_call_duration_seconds_count") == 1
        assert await held.metric("gateway_voice_session_setup_seconds_count") == 1
        assert await held.metric("gateway_turn_latency_seconds_count") == 1
        assert await held.metric("gateway_barge_ins_total") == 1
        assert await held.metric("gateway_barge_in_stop_seconds_count") == 1
        assert 0 < await held.metric("gateway_barge_in_stop_seconds_sum") < 0.5
        assert await held.metric("gateway_messages_odd_total", kind="malformed", leg="phone") == 1
        assert await held.metric("gateway_messages_odd_total", kind="unknown", leg="phone") == 1
        assert await held.metric("gateway_service_errors_total") == 0


async def test_late_frames_are_those_that_the_gateway_held_up(tmp_path: Path) -> None:
    """While the event loop stands still for a second, 600 ms at most are still at the phone: 20 frames come late."""
    long = "A reply that is long enough to be still going on when the process stands still for a whole second."
    async with rig(configuration(tmp_path, {"support": LINE.replace("Hello.", long)}), instant(greeting=long)) as held:
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            sent = 0
            while sent < PCMU.bytes_for(600):  # then more waits for its time
                sent += len(b64decode((await phone.next("media"))["media"]["payload"]))
            time.sleep(1.0)  # noqa: ASYNC251 -- the stall is what is measured
            await phone.next("media")
            await phone.hang_up()
            await held.end_of(phone.call_id)
        assert await held.metric("gateway_frames_late_total") >= 20


async def test_lag_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop's lag is sampled again and again, as long as the gateway serves."""
    monkeypatch.setattr("gateway.routes.lag.LAG_PERIOD_S", 0.01)
    async with rig(configuration(tmp_path), instant()) as held:
        while await held.metric("gateway_event_loop_lag_seconds_count") < 3:
            pass


async def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    """The content type that Prometheus scrapes."""
    async with (
        rig(configuration(tmp_path), instant()) as held,
        aiohttp.ClientSession() as http,
        http.get(f"{held.gateway.url}/metrics") as said,
    ):
        assert (said.status, said.content_type) == (200, "text/plain")
        assert "# TYPE gateway_calls gauge" in await said.text()


async def test_what_is_known_has_its_series_before_the_first_call(tmp_path: Path) -> None:
    """Providers, lines, ends, refusals, tools and codes: an alert on an increase sees their first event."""
    tools = (
        "tools: [end_call, {name: status, description: Looks up., http: {url: https://shop.example.com/}},\n"
        "  {mcp: {server_label: crm, server_url: https://crm.example.com/mcp, require_approval: never}}]\n"
    )
    async with rig(configuration(tmp_path, {"support": LINE + tools}), instant()) as held:
        assert await held.metric("gateway_calls_started_total", provider="twilio", line="support") == 0
        for reason in EndReason:
            assert await held.metric("gateway_call_ends_total", reason=reason, line="support") == 0
        for refusal in Refusal:
            assert await held.metric("gateway_calls_refused_total", reason=refusal) == 0
        for tool in ("end_call", "status", "mcp:crm"):
            assert await held.metric("gateway_tool_calls_total", tool=tool, outcome="error") == 0
        for name in ("gateway_turn_latency_seconds_count", "gateway_turn_latency_seconds_bucket"):
            assert await held.metric(name, line="support") == 0
        for outcome in ("ok", "failed"):
            assert await held.metric("gateway_transfers_total", outcome=outcome) == 0
        for code in (*KNOWN_ERRORS, "other"):
            assert await held.metric("gateway_service_errors_total", code=code) == 0
        for name in ("gateway_call_control_failures_total", "gateway_keys_unavailable_total"):
            assert await held.metric(name, provider="twilio") == 0
        assert await held.metric("gateway_line_refused_total") == 0
        assert await held.metric("gateway_calls_limit") == 200


async def test_a_line_that_is_added_has_its_series_before_its_first_call(tmp_path: Path) -> None:
    """And a file that cannot be used is counted."""
    file = configuration(tmp_path)
    with listening() as log:
        async with rig(file, instant()) as held:
            (tmp_path / "lines" / "sales.yaml").write_text(LINE.replace("0100", "0101"), "utf-8")
            await log.until("line_loaded", line="sales")
            (tmp_path / "lines" / "wrong.yaml").write_text("numbers: 7\n", "utf-8")
            await log.until("line_refused", line="wrong")
            assert await held.metric("gateway_call_ends_total", line="sales", reason="fault") == 0
            assert await held.metric("gateway_line_refused_total") >= 1


async def test_the_process_and_the_build_are_told(tmp_path: Path) -> None:
    """Memory and descriptors of the process, and which version it is; when a series began is not told."""
    async with rig(configuration(tmp_path), instant()) as held:
        assert await held.metric("gateway_build_info", version=importlib.metadata.version("voice-line-gateway")) == 1
        assert await held.metric("process_resident_memory_bytes") > 1e7
        assert 0 < await held.metric("process_open_fds") < await held.metric("process_max_fds")
        async with aiohttp.ClientSession() as http, http.get(f"{held.gateway.url}/metrics") as said:
            assert "_created" not in await said.text()


def test_metrics_of_several_workers_come_from_their_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from the process that is asked; where the directory was removed, its own are all that is left."""
    metrics, deaths = Metrics(["twilio"]), WorkerDeaths(Board(1))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for pid in (101, 102):
        of_worker: Any = MultiProcessValue(lambda pid=pid: pid)  # type: ignore[no-untyped-call]  # as in gateway.routes.health
        of_worker("counter", "gateway_tries", "gateway_tries_total", (), (), "Tries.").inc(pid)
    of_all = _exposition(metrics.registry, deaths).decode()
    assert "gateway_calls_limit" not in of_all
    assert "gateway_workers_died" in of_all
    assert "gateway_tries_total 203.0" in of_all
    assert "process_resident_memory_bytes" not in of_all  # of a worker that runs alone, and these do not
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "removed"))
    of_one = _exposition(metrics.registry, deaths).decode()
    assert "gateway_calls_limit" in of_one
    assert "gateway_workers_died" in of_one
