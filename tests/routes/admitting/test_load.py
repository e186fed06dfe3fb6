"""The load of a process, measured by one timer."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge
from structlog.testing import capture_logs

from gateway.routes.admitting.load import Load
from gateway.routes.admitting.saturation import BUSY_RESUME, PERIOD_S, RESUME_S
from tests.virtual_time import virtual_time


class Thread:
    """A thread that uses a share of a core, by the loop's clock, and calls that send frames late."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.used = 0.0
        self.late: dict[object, int] = {}

    def cpu(self) -> float:
        """One period more; the first call is the beginning."""
        self.used += self.share * PERIOD_S
        return self.used


@virtual_time
async def test_both_changes_of_state_are_logged_and_counted() -> None:
    """A busy thread stops new calls, a quiet one takes them again after a while; each change has its line."""
    registry, thread = CollectorRegistry(), Thread(1.0)
    load = Load(lambda: dict(thread.late), Gauge("saturated", "", registry=registry), cpu=thread.cpu)
    with load.measured(), capture_logs() as logged:
        assert load.has_room()
        await asyncio.sleep(PERIOD_S * 1.5)
        assert not load.has_room()
        assert registry.get_sample_value("saturated") == 1
        thread.share = BUSY_RESUME / 2
        thread.late = {"a": 0, "b": 0}
        await asyncio.sleep(RESUME_S + PERIOD_S * 2)
        assert load.has_room()
        assert registry.get_sample_value("saturated") == 0
    assert [(entry["event"], entry["log_level"]) for entry in logged] == [
        ("saturated", "warning"),
        ("saturation_over", "info"),
    ]
    assert logged[0]["detail"] == "the event loop's thread uses 100% of a core"
    assert (logged[0]["calls"], logged[1]["calls"]) == (0, 2)
    assert logged[1]["busy"] < BUSY_RESUME


@virtual_time
async def test_frames_that_calls_send_late_count_once() -> None:
    """Those of a period, over all calls; what a call sent late before, and calls that ended, count no more."""
    registry, thread = CollectorRegistry(), Thread(0.0)
    load = Load(lambda: dict(thread.late), Gauge("saturated", "", registry=registry), cpu=thread.cpu)
    with load.measured():
        thread.late = {"a": 3}
        await asyncio.sleep(PERIOD_S * 1.5)
        thread.late = {"a": 6, "b": 1}
        await asyncio.sleep(PERIOD_S)
        assert load.has_room()
        thread.late = {"b": 6}
        await asyncio.sleep(PERIOD_S)
        assert not load.has_room()


@virtual_time
async def test_a_burst_is_counted_before_it_costs() -> None:
    """Calls that were taken a moment ago are expected to cost what a call costs."""
    thread = Thread(0.0)
    load = Load(dict, Gauge("saturated", "", registry=CollectorRegistry()), cpu=thread.cpu)
    taken = 0
    while load.has_room():
        load.took()
        taken += 1
    assert taken == 150
