"""Logging for people and for machines: structlog, the call's id bound, the caller's words left out."""

import logging
import os
import sys
from collections.abc import Collection, Iterable, MutableMapping
from typing import Any

import structlog

from gateway.outlet import is_unread, lead_nowhere
from gateway.redaction import Redactor, secrets_in

PRIVATE = frozenset({"text", "digit", "digits", "caller", "called", "parameters"})
"""Fields that hold what a caller said, keyed or is: hidden unless the operator asks for them."""


def configure(*, json: bool, level: str = "info", private: bool = False, without: Collection[str] = ()) -> None:
    """Send log lines to standard error, as JSON or for the eye.

    ``private`` shows the fields of ``PRIVATE``. Events in ``without`` are left out: a command tells of them itself.
    """
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
            colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    _secrets.forget()
    _secrets.know(secrets_in(os.environ))
    structlog.configure(
        processors=[_leave_out(without), *shared, renderer, _secrets.leave_out],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(_StandardError()),  # type: ignore[arg-type]  # it writes and flushes
        cache_logger_on_first_use=False,
    )
    # What libraries log by the standard library comes out alike, so that a log of JSON lines is JSON throughout.
    handler = logging.StreamHandler(sys.stderr)
    of_libraries = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, _secrets.leave_out]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared], processors=of_libraries
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class _Secrets:
    """Takes secrets out of a whole line, wherever in it they stand."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._redactor = Redactor()

    def know(self, secrets: Iterable[str]) -> None:
        """Know these, and those before."""
        self._known.update(secrets)
        self._redactor = Redactor(self._known)

    def forget(self) -> None:
        """Know none."""
        self._known.clear()
        self._redactor = Redactor()

    def leave_out(self, logger: Any, method: str, line: Any) -> Any:
        """Return a rendered line without them."""
        return self._redactor.text(line) if isinstance(line, str) else line


_secrets = _Secrets()


def hide(secrets: Iterable[str]) -> None:
    """Keep these values out of the log, beside those whose variables are called secrets."""
    _secrets.know(secrets)


class _StandardError:
    """Standard error, which may go away: a terminal that closes or a reader that ends must not end calls."""

    def write(self, text: str) -> int:
        """Write, or lose the text."""
        try:
            return sys.stderr.write(text)
        except OSError as error:
            _lost(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or lose what was to be flushed."""
        try:
            sys.stderr.flush()
        except OSError as error:
            _lost(error)


def _lost(error: OSError) -> None:
    """Let standard error lead nowhere from now on where nobody will ever read it again."""
    if is_unread(error):
        lead_nowhere(sys.stderr)


def _leave_out(events: Collection[str]) -> structlog.typing.Processor:
    def leave_out(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["event"] in events:
            raise structlog.DropEvent
        return event

    return leave_out


def _redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in PRIVATE & event.keys():
        value = event[name]
        if value:
            event[name] = f"<{len(value)} characters>" if isinstance(value, str) else "<hidden>"
    return event
