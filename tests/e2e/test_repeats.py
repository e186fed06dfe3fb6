"""Every webhook of every provider delivered twice at once, as after a lost answer: one call, one act, one answer."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.sim.phone.webhook import Reply, Webhook
from tests.e2e.exchange import exchange
from tests.e2e.rig import LINE, NUMBER, instant
from tests.kinds import ASKING


@pytest.mark.parametrize("provider", ASKING)
async def test_a_webhook_delivered_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    """Both get the same answer, the REST API is asked for nothing twice, no replay and no bad signature is counted."""
    pairs: list[tuple[Reply, Reply]] = []
    ask = Webhook.ask

    async def twice(self: Webhook, url: str, **request: Any) -> Reply:
        pair = await asyncio.gather(ask(self, url, **request), ask(self, url, **request))
        pairs.append(pair)
        return pair[0]

    monkeypatch.setattr(Webhook, "ask", twice)
    async with exchange(tmp_path, [provider], {"support": LINE}, instant()) as held:
        with capture_logs() as logs:
            async with held.call(provider, NUMBER):
                await held.told("support", "session_ready")
            await held.told("support", "call_ended")
        async with aiohttp.ClientSession() as http, http.get(f"{held.url}/metrics") as response:
            metrics = await response.text()
    assert pairs
    assert all(first == second for first, second in pairs)
    assert [entry for entry in logs if entry["event"] == "webhook_refused"] == []
    for reason in ("bad_signature", "replayed"):
        assert f'gateway_calls_refused_total{{reason="{reason}"}} 0.0' in metrics
    asked = [(request.method, request.path, request.body) for request in held.apis[provider].requests]
    assert len(asked) == len(set(asked))
