"""An OTLP/HTTP collector: takes traces and metrics as protobuf, and keeps what it got."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """``url`` is where it listens; ``status`` is what it answers with. While ``hangs``, it answers nothing."""

    url: str = ""
    status: int = 200
    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hangs: bool = False
    release: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """Take a request."""
        body = await request.read()
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.asked.set()
        if self.hangs:
            await self.release.wait()
        if self.status == 200:
            if request.path == "/v1/traces":
                self.traces.append(ExportTraceServiceRequest.FromString(body))
            else:
                self.metrics.append(ExportMetricsServiceRequest.FromString(body))
        return web.Response(status=self.status)

    @property
    def spans(self) -> list[Span]:
        """All spans that came, in the order in which they began."""
        found = [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def named(self, name: str) -> list[Span]:
        """The spans of that name."""
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Span:
        """The only span of that name."""
        (span,) = self.named(name)
        return span

    def latest(self) -> dict[str, Metric]:
        """The metrics of the last request, by name."""
        (resource,) = self.metrics[-1].resource_metrics
        return {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}

    def text(self) -> str:
        """Everything that came, as text."""
        return "\n".join(map(str, [*self.traces, *self.metrics]))


def attributes(owner: Any) -> dict[str, Any]:
    """The attributes of a span, an event, a resource or a point."""

    def pairs() -> Iterator[tuple[str, Any]]:
        for pair in owner.attributes:
            yield pair.key, getattr(pair.value, pair.value.WhichOneof("value"))

    return dict(pairs())


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """Listen on a free port until the block ends."""
    made = Collector()
    app = web.Application()
    app.router.add_post("/v1/{signal:traces|metrics}", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        made.release.set()
        await runner.cleanup()
