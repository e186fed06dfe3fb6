"""The environment variables that turn traces and metrics on."""

import pytest

from gateway.errors import InputError
from gateway.tracing.environment import Exports, exports_of, secrets_of

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
URL = "http://collector:4318"


@pytest.mark.parametrize(
    ("environ", "exports"),
    [
        ({}, Exports()),
        ({ENDPOINT: URL}, Exports(traces=True)),
        ({ENDPOINT: " "}, Exports()),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{URL}/v1/traces"}, Exports(traces=True)),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{URL}/v1/metrics"}, Exports()),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, Exports(traces=True)),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: URL}, Exports()),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, Exports(metrics=True)),
        (
            {"OTEL_METRICS_EXPORTER": " OTLP ", ENDPOINT: URL, "OTEL_METRIC_EXPORT_INTERVAL": "5000"},
            Exports(traces=True, metrics=True, interval_s=5.0),
        ),
        ({"OTEL_SDK_DISABLED": "True", ENDPOINT: URL, "OTEL_METRICS_EXPORTER": "otlp"}, Exports()),
        ({"OTEL_SDK_DISABLED": "false", ENDPOINT: URL}, Exports(traces=True)),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, Exports(traces=True)),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, Exports()),
        ({ENDPOINT: URL, "OTEL_BSP_MAX_QUEUE_SIZE": "100"}, Exports(traces=True, queue=100, batch=100)),
    ],
)
def test_the_variables_say_what_is_exported(environ: dict[str, str], exports: Exports) -> None:
    """Nothing without a word; traces with an endpoint; metrics, which are fetched as well, only where asked."""
    assert exports_of(environ) == exports
    assert bool(exports) is (exports.traces or exports.metrics)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: zipkin is not supported, expected otlp or none"),
        ({"OTEL_METRICS_EXPORTER": "prometheus"}, "OTEL_METRICS_EXPORTER: prometheus is not supported, expected otlp"),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "PROTOCOL: grpc is not supported, expected http/prot"),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "OTLP_TRACES_PROTOCOL: grpc is not supported"),
        (
            {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "1m"},
            "OTEL_METRIC_EXPORT_INTERVAL: 1m is not usable, expected a whole number from 1",
        ),
        ({"OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "0"}, "0 is not usable"),
    ],
)
def test_what_is_not_supported_is_refused(environ: dict[str, str], message: str) -> None:
    """The error names the variable, its value and what was expected."""
    with pytest.raises(InputError) as caught:
        exports_of(environ)
    assert message in str(caught.value)


def test_the_headers_for_the_collector_are_secrets() -> None:
    """Their values are kept out of the log; short ones name something."""
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=0123456789abcdef,x-team=voice",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "Authorization=Basic%20c2VjcmV0",
    }
    assert secrets_of(environ) == {"0123456789abcdef", "Basic%20c2VjcmV0"}
