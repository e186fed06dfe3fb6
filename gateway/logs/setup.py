"""Logging for people and for machines: structlog, the call's id bound, the caller's words left out.

A line is made where it is logged, which takes microseconds. A thread removes secrets and writes the line.
"""

import atexit
import copy
import json as json_module
import logging
import os
import sys
import threading
from collections.abc import Collection, Iterable, MutableMapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from aiohttp.http_exceptions import HttpProcessingError

from gateway.logs.outlet import lead_nowhere
from gateway.logs.redaction import Redactor, secrets_in
from gateway.logs.writer import LogWriter
from gateway.network.http_fault import fault_of
from gateway.text import one_line_inside, printable

log = structlog.get_logger()

PRIVATE = frozenset({"text", "unheard", "digit", "digits", "caller", "called", "parameters", "answer"})
"""Fields that hold what a caller said or keyed in, or who it is: hidden unless the operator asks for them."""

GAP = "log_lines_lost"
"""The event in place of missing lines."""


def configure(*, json: bool, level: str = "info", private: bool = False, without: Collection[str] = ()) -> None:
    """Send log lines to standard error, as JSON or for people.

    ``private`` shows the fields of ``PRIVATE``. Events in ``without`` are left out: a command reports them itself.
    """
    global _writer  # noqa: PLW0603 -- logging is the process's
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if not private:
        shared.append(_redact)
    renderer = _Renderer(json=json)
    _secrets.forget()
    _secrets.know(secrets_in(os.environ))
    if _writer is not None:
        _writer.close()
    _writer = LogWriter(sys.stderr, _secrets.leave_out, partial(_gap, renderer))
    structlog.configure(
        processors=[_leave_out(without), *shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_Lines,
        cache_logger_on_first_use=False,
    )
    # The log lines of libraries get the same form, so that a log of JSON lines is JSON throughout.
    bare = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = _OfLibraries()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared], processors=[bare, renderer]
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _take_what_python_prints()


def lost() -> int:
    """Return the number of lines lost so far because standard error could not be written to."""
    return _writer.lost if _writer is not None else 0


def flush() -> None:
    """Write the waiting lines at the end of the process, in limited time.

    Where nobody reads, standard error then discards all text: nothing that is printed may wait for a reader.
    """
    global _writer  # noqa: PLW0603 -- logging is the process's
    if _writer is not None and not _writer.flush():
        _writer = None
        if sys.stderr is not None:
            lead_nowhere(sys.stderr)


def is_terminal() -> bool:
    """Return whether the log goes to a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


_writer: LogWriter | None = None
atexit.register(flush)


class _Lines:
    """The logger to which structlog passes whole lines."""

    def __init__(self, *names: object) -> None:
        pass

    def msg(self, line: str) -> None:
        """Pass a line to the writer."""
        if _writer is not None:
            _writer.write(line)

    debug = info = warning = error = critical = exception = msg


class _OfLibraries(logging.Handler):
    """Writes the log lines of libraries. Reports one that cannot be made in its place, and raises nothing."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a library's record to the writer."""
        if _writer is None:
            return
        try:
            line = self.format(_without_request(record))
        except Exception as error:  # noqa: BLE001 -- a library's wrong arguments are no reason to stop
            log.error("log_line_unreadable", logger=record.name, detail=type(error).__name__)
        else:
            _writer.write(line)


def _without_request(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record without the raw request that aiohttp's servers quote where it is no proper HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return record
    copied = copy.copy(record)
    copied.msg, copied.args, copied.exc_info = f"{record.getMessage()}: {fault_of(error)}", (), None
    return copied


_encode = json_module.JSONEncoder(default=str).encode
"""Made once: ``json.dumps`` with options makes an encoder for each line."""


def _as_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    return _encode(event)


class _Renderer:
    """Makes a line of an event, and raises nothing: names in its place what cannot be written."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._render: structlog.typing.Processor = (
            _as_json
            if json
            else structlog.dev.ConsoleRenderer(
                colors=is_terminal() and not os.environ.get("NO_COLOR"),
                exception_formatter=structlog.dev.plain_traceback,
            )
        )

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        name = str(event.get("event"))
        try:
            return str(self._render(logger, method, event if self._json else _for_the_eye(event)))
        except Exception as error:  # noqa: BLE001 -- the code that logs goes on, whatever a field is
            level, unreadable = event.get("level", method), f"the fields cannot be written: {type(error).__name__}"
            return json_module.dumps({"event": name, "level": level, "detail": unreadable})


def _for_the_eye(event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return an event whose texts can neither move the cursor nor begin a line; a traceback keeps its lines."""
    kept = {name: printable(event[name]) for name in ("exception", "stack") if name in event}
    return {**one_line_inside(dict(event)), **kept}


def _gap(renderer: _Renderer, count: int) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    fields = {"event": GAP, "level": "warning", "timestamp": now, "count": count}
    return renderer(None, "warning", fields)


def _take_what_python_prints() -> None:
    """Log what Python itself would print to standard error, which can block; keep hooks of other code."""
    logging.captureWarnings(True)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _unraisable
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _thread_failed


def _unraisable(what: Any) -> None:
    error = what.exc_value
    exc_info = (what.exc_type, error, what.exc_traceback) if error is not None else None
    log.error("unraisable", detail=what.err_msg or "exception ignored", exc_info=exc_info)


def _thread_failed(what: Any) -> None:
    name = what.thread.name if what.thread is not None else ""
    exc_info = (what.exc_type, what.exc_value, what.exc_traceback)
    log.error("thread_failed", thread=name, exc_info=exc_info)


class _Secrets:
    """Removes secrets from a whole line, wherever in it they stand."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._redactor = Redactor()

    def know(self, secrets: Iterable[str]) -> None:
        """Add these secrets to the known ones."""
        self._known.update(secrets)
        self._redactor = Redactor(self._known)

    def forget(self) -> None:
        """Forget all known secrets."""
        self._known.clear()
        self._redactor = Redactor()

    def leave_out(self, line: str) -> str:
        """Return a rendered line without them."""
        return self._redactor.text(line)


_secrets = _Secrets()


def hide(secrets: Iterable[str]) -> None:
    """Keep these values out of the log, beside those whose variables are called secrets."""
    _secrets.know(secrets)


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
