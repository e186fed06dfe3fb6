"""Notes what people do in the console: in the log, and in the table of the records' database where there is one."""

import secrets
from collections import OrderedDict
from datetime import UTC, datetime
from time import monotonic

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from gateway.console.route import visitor_of
from gateway.console.state import console_of
from gateway.records.audit import Act, AuditRow, add
from gateway.records.store.failures import DatabaseError

log = structlog.get_logger()

AGAIN_S = 600.0
"""Seconds after which it is noted again that somebody hears the same call."""
MOST = 10_000


async def audit(request: web.Request, act: Act, *, call: str = "", detail: str = "", who: str = "") -> None:
    """Note what a visitor does with a ``call``; ``who`` names one who has not signed in.

    An entry that cannot be written to the database is in the log alone, which says so.
    """
    name = who or visitor_of(request).name
    row = AuditRow(
        id=secrets.token_hex(12),
        at=datetime.now(UTC),
        who=name,
        address=address_of(request),
        act=act,
        call=call,
        detail=detail,
    )
    log.info("console_audit", who=name, address=row.address, act=act, call=call, target=detail)
    database = console_of(request).records
    if database is None:
        return
    try:
        await add(database, row)
    except (SQLAlchemyError, DatabaseError, OSError) as error:
        log.error("console_audit_lost", who=name, act=act, call=call, detail=type(error).__name__)


async def audit_heard(request: web.Request, call: str) -> None:
    """Note that a visitor hears a call; once for the many parts that a player asks for, and again after a while.

    Whoever keeps what was heard a moment ago does something else, which is noted too.
    """
    visitor, noted = visitor_of(request), request.config_dict[HEARD]
    act: Act = "downloaded" if "download" in request.query else "heard"
    if not noted.is_known((visitor.name, act, call), monotonic()):
        await audit(request, act, call=call)


class Heard:
    """Remembers for a while what was noted. Times are seconds of any clock that does not go back."""

    def __init__(self) -> None:
        self._noted: OrderedDict[tuple[str, Act, str], float] = OrderedDict()

    def is_known(self, key: tuple[str, Act, str], now: float) -> bool:
        """Return whether this was asked for within the last minutes; from now on it was."""
        at = self._noted.get(key)
        if at is not None and now - at < AGAIN_S:
            return True
        self._noted[key] = now
        self._noted.move_to_end(key)
        while len(self._noted) > MOST:
            self._noted.popitem(last=False)
        return False


HEARD = web.AppKey("heard", Heard)


def address_of(request: web.Request) -> str:
    """Return the address of who makes a request: behind a proxy on this machine, the one that the proxy has seen."""
    console = console_of(request).deployment.console
    remote = request.remote or ""
    if console.url is None or not _is_local(remote):
        return remote
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return forwarded[-1].rpartition(",")[2].strip()[:45] if forwarded else remote


def _is_local(address: str) -> bool:
    return address in ("127.0.0.1", "::1", "")
