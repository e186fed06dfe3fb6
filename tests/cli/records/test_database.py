"""The database of the records, opened for a command."""

import asyncio
import os
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from gateway.cli.records.database import records_database
from gateway.config import Deployment, load_deployment
from gateway.errors import GatewayError


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """One whose database does not exist yet."""
    (tmp_path / "gateway.yaml").write_text("{}\n", "utf-8")
    return load_deployment(tmp_path / "gateway.yaml", os.environ)


def test_a_database_that_is_not_there_is_told(deployment: Deployment) -> None:
    """With what makes it; a command that makes it itself opens it all the same."""

    async def open_it(*, is_there: bool) -> bool:
        async with records_database(deployment, is_there=is_there) as database:
            return database.file is not None and not database.file.exists()

    with pytest.raises(GatewayError, match="no such file: gateway serve makes it, or gateway records migrate"):
        asyncio.run(open_it(is_there=True))
    assert asyncio.run(open_it(is_there=False))


def test_a_failure_of_the_database_is_no_traceback(deployment: Deployment) -> None:
    """Its kind is told."""

    async def fail() -> None:
        async with records_database(deployment, is_there=False):
            raise OperationalError("select", {}, Exception("secret"))

    with pytest.raises(GatewayError, match="cannot be used: OperationalError"):
        asyncio.run(fail())
