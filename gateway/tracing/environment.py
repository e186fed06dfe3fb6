"""Reads the standard environment variables of OpenTelemetry that say what is exported. Pure.

All other variables (sampler, limits, headers, time limits, resource) are read by OpenTelemetry's own SDK.
Source: opentelemetry.io, "Environment Variable Specification" and "OTLP Exporter Configuration".
"""

from collections.abc import Mapping

from msgspec import Struct

from gateway.errors import InputError

DISABLED = "OTEL_SDK_DISABLED"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS")
INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
DEFAULT_INTERVAL_MS = 60_000
QUEUE = "OTEL_BSP_MAX_QUEUE_SIZE"
DEFAULT_QUEUE = 2048
BATCH = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
DEFAULT_BATCH = 512
EXPORTERS = ("otlp", "none")
HTTP = "http/protobuf"
SHORTEST_SECRET = 8


class Exports(Struct, frozen=True):
    """The signals that are exported over OTLP, and how."""

    traces: bool = False
    metrics: bool = False
    interval_s: float = DEFAULT_INTERVAL_MS / 1000
    """Seconds between two exports of metrics."""
    queue: int = DEFAULT_QUEUE
    """Most spans that wait to be sent."""
    batch: int = DEFAULT_BATCH
    """Most spans in one request."""
    is_global: bool = False
    """``True`` if the operator's own code finds the provider of spans by OpenTelemetry's API; once a process."""
    instance: str = ""
    """Is added to the ``service.instance.id`` of the environment, where several processes share that."""

    def __bool__(self) -> bool:
        return self.traces or self.metrics


def exports_of(environ: Mapping[str, str], instance: str = "") -> Exports:
    """Return what the environment asks for.

    Traces are exported where an endpoint is set or ``OTEL_TRACES_EXPORTER`` is ``otlp``; metrics, which Prometheus
    fetches as well, only where ``OTEL_METRICS_EXPORTER`` is ``otlp``. Raises ``InputError`` for what is not supported.
    """
    if environ.get(DISABLED, "").strip().lower() == "true":
        return Exports()
    has_endpoint = any(environ.get(name, "").strip() for name in (ENDPOINT, _of("TRACES", ENDPOINT)))
    traces = _exporter(environ, "OTEL_TRACES_EXPORTER", default="otlp" if has_endpoint else "none") == "otlp"
    metrics = _exporter(environ, "OTEL_METRICS_EXPORTER", default="none") == "otlp"
    for signal, is_on in (("TRACES", traces), ("METRICS", metrics)):
        if is_on:
            _require_http(environ, signal)
    queue = _whole(environ, QUEUE, DEFAULT_QUEUE)
    return Exports(
        traces,
        metrics,
        _whole(environ, INTERVAL, DEFAULT_INTERVAL_MS) / 1000,
        queue,
        min(_whole(environ, BATCH, DEFAULT_BATCH), queue),
        instance=instance,
    )


def secrets_of(environ: Mapping[str, str]) -> set[str]:
    """Return the values of the headers that are sent to the collector, which often are keys."""
    pairs = (pair.partition("=") for name in HEADERS for pair in environ.get(name, "").split(","))
    return {value.strip() for _, _, value in pairs if len(value.strip()) >= SHORTEST_SECRET}


def _of(signal: str, name: str) -> str:
    """Return the variable of one signal that takes precedence over a general one."""
    return name.replace("_OTLP_", f"_OTLP_{signal}_")


def _exporter(environ: Mapping[str, str], name: str, *, default: str) -> str:
    value = environ.get(name, "").strip().lower() or default
    if value not in EXPORTERS:
        raise InputError(f"{name}: {value} is not supported, expected {' or '.join(EXPORTERS)}")
    return value


def _require_http(environ: Mapping[str, str], signal: str) -> None:
    own = _of(signal, PROTOCOL)
    name = own if environ.get(own, "").strip() else PROTOCOL
    value = environ.get(name, "").strip().lower() or HTTP
    if value != HTTP:
        raise InputError(f"{name}: {value} is not supported, expected {HTTP}; collectors take it on port 4318")


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise InputError(f"{name}: {text} is not usable, expected a whole number from 1")
    return int(text)
