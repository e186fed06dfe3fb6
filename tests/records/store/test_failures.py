"""Errors that pass."""

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from gateway.records.store.failures import is_away


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (OperationalError("", None, Exception("database is locked")), True),
        (DBAPIError("", None, Exception(), connection_invalidated=True), True),
        (DBAPIError("", None, Exception()), False),
        (IntegrityError("", None, Exception()), False),
        (KeyError(), False),
    ],
)
def test_an_error_passes_or_does_not(error: Exception, away: bool) -> None:
    """The database is away, or the rows are wrong."""
    assert is_away(error) is away
