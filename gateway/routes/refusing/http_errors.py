"""Notes requests that are not proper HTTP: aiohttp answers them itself, with 400, and only logs them."""

import logging
from collections.abc import Callable

from aiohttp.http_exceptions import HttpProcessingError

from gateway.call.refusal import Refusal
from gateway.network.http_fault import fault_of
from gateway.routes.refusing.refusals import Refused

_AIOHTTP = logging.getLogger("aiohttp.server")


def http_log(note: Callable[[str, Refused], None]) -> logging.Logger:
    """Return a logger for aiohttp's server that notes broken requests as refusals, and passes on the rest."""
    logger = logging.Logger(_AIOHTTP.name)
    logger.addHandler(_HttpErrors(note))
    return logger


class _HttpErrors(logging.Handler):
    def __init__(self, note: Callable[[str, Refused], None]) -> None:
        super().__init__()
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            self._note("request", Refused(Refusal.MALFORMED, fault_of(error)))
        elif _AIOHTTP.isEnabledFor(record.levelno):
            _AIOHTTP.handle(record)
