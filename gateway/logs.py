"""Logging for people and for machines: structlog, the call's id bound, the caller's words left out."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PRIVATE = frozenset({"text", "digit", "digits", "caller", "called", "parameters"})
"""Fields that hold what a caller said, keyed or is: hidden unless the operator asks for them."""


def configure(*, json: bool, level: str = "info", private: bool = False) -> None:
    """Send log lines to standard error, as JSON or for the eye. ``private`` shows the fields of ``PRIVATE``."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not private:
        shared.append(_redact)
    if json:
        shared.append(structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # What libraries log by the standard library comes out alike, so that a log of JSON lines is JSON throughout.
    handler = logging.StreamHandler(sys.stderr)
    of_libraries = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared], processors=of_libraries
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in PRIVATE & event.keys():
        value = event[name]
        if value:
            event[name] = f"<{len(value)} characters>" if isinstance(value, str) else "<hidden>"
    return event
