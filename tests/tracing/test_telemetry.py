"""The SDK in this process: what it delivers, and a collector that does not take it."""

import asyncio
import logging
import sys
import textwrap
import threading
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

from gateway.errors import InputError
from gateway.tracing import telemetry as module
from gateway.tracing.attributes import Privacy
from gateway.tracing.delivery import LIBRARY
from gateway.tracing.environment import Exports
from gateway.tracing.telemetry import Telemetry
from gateway.tracing.traces import Traces
from tests.documents import ROOT
from tests.tracing.collector import Collector, attributes, collector

SENDING = ("telemetry-end", "OtelBatchSpanRecordProcessor")
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def telemetry(exports: Exports, registry: CollectorRegistry, refresh: Callable[[], None] = lambda: None) -> Telemetry:
    """What exports these."""
    return Telemetry(exports, registry, Traces(Privacy(), float), refresh)


def span(made: Telemetry, name: str = "call") -> None:
    """End a span."""
    assert made.traces is not None
    made.traces.tracer.start_span(name).end()


def lost(registry: CollectorRegistry, why: str) -> float | None:
    """The spans that were lost."""
    return registry.get_sample_value("gateway_spans_lost_total", {"why": why})


async def test_spans_are_delivered_by_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the headers that the environment names, and who sends them; nothing is lost."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=0123456789abcdef")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "support-line")
    registry = CollectorRegistry()
    async with collector() as collected:
        monkeypatch.setenv(ENDPOINT, collected.url)
        async with telemetry(Exports(traces=True, instance="7"), registry) as made:
            span(made)
        assert [one.name for one in collected.spans] == ["call"]
        assert collected.headers[0]["api-key"] == "0123456789abcdef"
        (resource,) = collected.traces[0].resource_spans
        assert attributes(resource.resource)["service.name"] == "support-line"
    assert (lost(registry, "full"), lost(registry, "failed")) == (0, 0)


async def test_a_collector_that_hangs_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end waits so long and no longer; the log says what was left."""
    monkeypatch.setattr(module, "CLOSE_LIMIT_S", 0.05)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    async with collector() as collected:
        collected.hangs = True
        monkeypatch.setenv(ENDPOINT, collected.url)
        with capture_logs() as logs:
            async with asyncio.timeout(30), telemetry(Exports(traces=True), CollectorRegistry()) as made:
                span(made)
        collected.release.set()
        for thread in [one for one in threading.enumerate() if one.name in SENDING]:
            await asyncio.to_thread(thread.join, 30)
    assert [(entry["event"], entry["limit_s"]) for entry in logs if entry["event"] == "telemetry_given_up"] == [
        ("telemetry_given_up", 0.05)
    ]
    assert logging.getLogger(LIBRARY).propagate


async def test_a_collector_that_refuses_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its refusals costs the spans of a batch, which are counted; the log has one line."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    registry = CollectorRegistry()
    async with collector() as collected:
        collected.status = 400
        monkeypatch.setenv(ENDPOINT, collected.url)
        with capture_logs() as logs:
            async with telemetry(Exports(traces=True), registry) as made:
                for _ in range(3):
                    collected.asked.clear()
                    span(made)
                    await collected.asked.wait()
        assert len(collected.headers) >= 3
    assert [entry["event"] for entry in logs] == ["telemetry_not_delivered"]
    assert logs[0]["signal"] == "traces"
    assert "400" in logs[0]["detail"]
    assert lost(registry, "failed") == 3


async def test_code_of_the_operator_finds_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own, because it is set once: a span that a function starts reaches the collector."""
    program = textwrap.dedent("""
        import asyncio
        from opentelemetry import trace
        from prometheus_client import CollectorRegistry
        from gateway.tracing.attributes import Privacy
        from gateway.tracing.environment import Exports
        from gateway.tracing.starting import telemetry_for

        async def main():
            exports = Exports(traces=True, is_global=True)
            async with telemetry_for(exports, CollectorRegistry(), Privacy(), float, lambda: None):
                trace.get_tracer("operator").start_span("look_up").end()

        asyncio.run(main())
    """)
    async with collector() as collected:
        monkeypatch.setenv(ENDPOINT, collected.url)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT)
        assert await process.wait() == 0
        assert [one.name for one in collected.spans] == ["look_up"]


async def test_metrics_are_received_once_for_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the registry holds, brought up to date before, at the interval; the last one at the end."""
    registry = CollectorRegistry()
    counter = Counter("gateway_calls_started", "Calls begun.", ["line"], registry=registry)
    counter.labels("support").inc()
    refreshed: list[Collector] = []
    async with collector() as collected:
        monkeypatch.setenv(ENDPOINT, collected.url)
        exports = Exports(metrics=True, interval_s=0.01)
        async with telemetry(exports, registry, lambda: refreshed.append(collected)) as made:
            assert made.traces is None
            await collected.asked.wait()
            counter.labels("support").inc(2)
        metric = collected.latest()["gateway_calls_started"]
        (point,) = metric.sum.data_points
        assert (point.as_double, attributes(point)) == (3.0, {"line": "support"})
        assert metric.sum.is_monotonic
        (resource,) = collected.metrics[-1].resource_metrics
        assert attributes(resource.resource)["service.instance.id"]
        assert collected.traces == []
    assert refreshed


async def test_a_variable_that_cannot_be_used_is_an_error_of_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told in words; nothing is left running."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "-1")
    with pytest.raises(InputError, match="OTEL_… variables cannot be used: schedule_delay_millis must be positive"):
        async with telemetry(Exports(traces=True), CollectorRegistry()):
            pass
    assert logging.getLogger(LIBRARY).propagate
