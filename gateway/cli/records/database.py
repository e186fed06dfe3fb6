"""Opens the database of the records for a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from gateway.config import Deployment
from gateway.errors import GatewayError
from gateway.records.store.database import Database


@asynccontextmanager
async def records_database(deployment: Deployment, *, is_there: bool = True) -> AsyncIterator[Database]:
    """Yield the records' database. Raises ``GatewayError`` where it cannot be used.

    ``is_there``: its tables must be there already.
    """
    async with Database(deployment.database) as database:
        if is_there and database.file and not database.file.exists():
            raise GatewayError(f"{database.file}: no such file: gateway serve makes it, or gateway records migrate")
        try:
            if is_there:
                await database.check()
            yield database
        except (SQLAlchemyError, OSError) as error:
            raise GatewayError(f"{database.shown} cannot be used: {type(error).__name__}") from None
