"""The start of traces and metrics: with the extra, and without it."""

import subprocess
import sys
import textwrap

import pytest
from prometheus_client import CollectorRegistry

from gateway.errors import InputError
from gateway.tracing import starting
from gateway.tracing.attributes import Privacy
from gateway.tracing.environment import Exports
from gateway.tracing.starting import require_extra, telemetry_for
from tests.documents import ROOT


def test_an_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what asks for it, what is missing, what to install, and how to do without."""
    monkeypatch.setattr(starting, "PACKAGES", ("opentelemetry.sdk", "not_there.exporter"))
    for begin in (
        require_extra,
        lambda: telemetry_for(Exports(traces=True), CollectorRegistry(), Privacy(), float, lambda: None),
    ):
        with pytest.raises(InputError) as caught:
            begin()
        for part in ("OTEL_", "not_there.exporter", "voice-line-gateway[traces]", "OTEL_SDK_DISABLED"):
            assert part in str(caught.value)


def test_traces_begin_where_they_are_asked_for() -> None:
    """Metrics alone bring no traces."""
    made = [
        telemetry_for(exports, CollectorRegistry(), Privacy(), float, lambda: None)
        for exports in (Exports(traces=True), Exports(metrics=True))
    ]
    assert [telemetry.traces is not None for telemetry in made] == [True, False]


def test_nothing_of_opentelemetry_is_imported_where_it_is_off() -> None:
    """A gateway without traces pays nothing for them, and works without the extra."""
    program = textwrap.dedent("""
        import sys
        import gateway.app, gateway.cli.serve, gateway.cli.serving.process
        print([name for name in sys.modules if name.startswith(("opentelemetry", "google.protobuf"))])
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 -- Python itself
    assert done.stdout.strip() == "[]"
