"""Logging for people and for machines: structlog, the call's id bound, the caller's words left out."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PRIVATE = frozenset({"text", "digit", "caller", "called", "parameters"})
"""Fields that hold what a caller said, keyed or is: hidden unless the operator asks for them."""


def configure(*, json: bool, level: str = "info", private: bool = False) -> None:
    """Send log lines to standard error, as JSON or for the eye. ``private`` shows the fields of ``PRIVATE``."""
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not private:
        processors.append(_redact)
    processors.append(structlog.processors.format_exc_info if json else _noop)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    processors.append(renderer)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s", force=True)


def _redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in PRIVATE & event.keys():
        value = event[name]
        if value:
            event[name] = f"<{len(value)} characters>" if isinstance(value, str) else "<hidden>"
    return event


def _noop(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event
