"""Starts what the environment asks for; the packages of the extra ``traces`` are imported here, and only then."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from gateway.errors import InputError
from gateway.tracing.attributes import Privacy
from gateway.tracing.environment import Exports

if TYPE_CHECKING:
    from gateway.tracing.telemetry import Telemetry

PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def telemetry_for(
    exports: Exports,
    registry: CollectorRegistry,
    privacy: Privacy,
    clock: Callable[[], float],
    refresh: Callable[[], None],
) -> "Telemetry":
    """Return what exports traces and metrics; it begins as an async context manager.

    Raises ``InputError`` where the extra is not installed.
    """
    require_extra()
    from gateway.tracing.telemetry import Telemetry  # noqa: PLC0415 -- the packages of an extra
    from gateway.tracing.traces import Traces  # noqa: PLC0415 -- likewise

    return Telemetry(exports, registry, Traces(privacy, clock), refresh)


def require_extra() -> None:
    """Raise ``InputError`` where the packages of the extra are not installed."""
    if missing := next((package for package in PACKAGES if not _is_installed(package)), ""):
        raise InputError(
            f"the OTEL_… variables ask for traces or metrics, and {missing} is not installed: "
            "install voice-line-gateway[traces], or set OTEL_SDK_DISABLED=true"
        )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even a package around it
        return False
