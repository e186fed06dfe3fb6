"""The pool of a deployment."""

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.config import load_deployment
from gateway.fleet.board import Board
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.making import in_place, pooled
from tests.voice.test_opening import Watched

TWO = """
voice_live:
  connect_timeout_s: 3
  endpoints:
    - {endpoint: "https://west.example", key: "${WEST}", weight: 2, limits: {sessions: 5, sessions_per_minute: 9}}
    - {name: spare, endpoint: "https://east.example", client_id: 0-1-2, priority: 2, models: [gpt-realtime]}
"""


async def test_each_entry_is_an_endpoint_with_a_service_of_its_own(tmp_path: Path) -> None:
    """Named by its host unless it has a name; what one session taught is kept in one memory."""
    (tmp_path / "gateway.yaml").write_text(TWO, "utf-8")
    deployment = load_deployment(tmp_path / "gateway.yaml", {"WEST": "secret"})
    clock = asyncio.get_running_loop().time
    watch = Watched()
    held, _ = pooled(deployment, deployment.reached, Board(1).sessions, CollectorRegistry(), clock, watch=watch)
    assert held.pool.endpoints == [
        Endpoint("west", 1, 2, 5, 9),
        Endpoint("spare", 2, 1, models={"gpt-realtime": "gpt-realtime"}),
    ]
    west, spare = held.services.values()
    assert (west.endpoint, west.has_key, west.connect_timeout_s) == ("https://west.example", True, 3)
    assert (spare.endpoint, spare.has_key) == ("https://east.example", False)
    assert west.memory is spare.memory
    assert west.watch is spare.watch is watch
    assert held.first is west


def test_an_endpoint_of_the_command_line_keeps_the_quota(tmp_path: Path) -> None:
    """As that of an emulator."""
    (tmp_path / "gateway.yaml").write_text("voice_live: {limits: {sessions: 3}}\n", "utf-8")
    section = in_place(load_deployment(tmp_path / "gateway.yaml", {}), "http://127.0.0.1:9000", "any")
    assert (section.endpoint, section.limits.sessions) == ("http://127.0.0.1:9000", 3)
    assert section.key is not None
