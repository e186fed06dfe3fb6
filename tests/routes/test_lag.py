"""How late the event loop is."""

import asyncio

import pytest

from gateway.call.metrics import Metrics
from gateway.routes import lag


async def test_a_late_timer_is_measured_until_the_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each period once; nothing is left afterwards."""
    monkeypatch.setattr(lag, "LAG_PERIOD_S", 0.001)
    metrics = Metrics()

    def count() -> float:
        return metrics.registry.get_sample_value("gateway_event_loop_lag_seconds_count") or 0.0

    async with asyncio.timeout(10):
        with lag.watching(metrics):
            while count() < 2:  # noqa: ASYNC110 -- a metric has no event
                await asyncio.sleep(0)
    before = count()
    await asyncio.sleep(0.01)
    assert count() == before


async def test_lines_that_the_log_lost_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of each period; what was lost before is no business of this process."""
    monkeypatch.setattr(lag, "LAG_PERIOD_S", 0.001)
    lost = iter((5, 5, 8, 8))
    over = asyncio.Event()

    def told() -> int:
        if (count := next(lost, None)) is None:
            over.set()
        return count or 9

    monkeypatch.setattr("gateway.logs.setup.lost", told)
    metrics = Metrics()
    async with asyncio.timeout(10):
        with lag.watching(metrics):
            await over.wait()
    assert metrics.registry.get_sample_value("gateway_log_lines_lost_total") == 4
