"""The failures of a database: those that pass, and those that an operator must mend."""

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.errors import GatewayError

AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeoutError, OSError, TimeoutError)
"""Errors of a database that is away, busy or full: the same statement may succeed later."""


class DatabaseError(GatewayError):
    """The database cannot be used as it is: the message says why, and what to do."""


def is_away(error: BaseException) -> bool:
    """Return ``True`` for an error that says nothing about the rows: the database is away, busy or full."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, AWAY)
