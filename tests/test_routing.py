"""What either listener serves."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import serving
from gateway.errors import GatewayError
from tests.e2e.rig import configuration, load

DEPLOYMENT = "lines: lines/*.yaml\nproviders: {twilio: {}}\nlisten: {private: '127.0.0.1:%d'}\n"
SERVED: dict[str, Any] = {"endpoint": "http://127.0.0.1:1", "api_key": "any", "host": "127.0.0.1"}


async def status(url: str) -> int:
    """Ask for ``url`` and return the status."""
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status


async def test_health_and_metrics_leave_the_public_listener(tmp_path: Path) -> None:
    """Where there is a private one, which serves nothing else; a path may end with a slash."""
    deployment, lines = load(configuration(tmp_path, gateway=DEPLOYMENT % 0))
    async with serving(deployment, lines, **SERVED) as gateway:
        for path in ("/healthz", "/metrics"):
            assert await status(gateway.private_url + path) == 200
            assert await status(gateway.url + path) == 404
        assert await status(gateway.private_url + "/answer/twilio") == 404
        assert await status(gateway.url + "/answer/twilio/") != 404


async def test_a_private_address_that_is_taken_is_named(tmp_path: Path) -> None:
    """With the key that names it."""
    deployment, lines = load(configuration(tmp_path, gateway=DEPLOYMENT % 0))
    async with serving(deployment, lines, **SERVED) as first:
        taken = configuration(tmp_path / "again", gateway=DEPLOYMENT % int(first.private_url.rpartition(":")[2]))
        deployment, lines = load(taken)
        with pytest.raises(GatewayError, match=r"listen\.private: cannot listen on 127\.0\.0\.1:"):
            async with serving(deployment, lines, **SERVED):
                pass
