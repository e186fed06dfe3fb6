"""What the SDK's live tests import from Azure's development tools, which are not published as a package.

The tests run live, against the endpoint of the environment: nothing is recorded, and no proxy stands between.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

import pytest


class AzureRecordedTestCase:
    """The base class of the tests."""


def is_live() -> bool:
    """Return whether the tests reach a service."""
    return True


@pytest.fixture(scope="session")
def test_proxy() -> None:
    """No proxy."""


def recorded_by_proxy(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return the test as it is."""
    return test


class EnvironmentVariableLoader:
    """Passes the settings of a service to a test, from the variables of the same names in capitals."""

    def __init__(self, _service: str, **settings: str) -> None:
        self._names = tuple(settings)

    def __call__(self, test: Callable[..., Any]) -> Callable[..., Any]:
        """Return the test with the settings as arguments."""

        @functools.wraps(test)
        async def with_settings(*arguments: Any, **options: Any) -> None:
            await test(*arguments, **options, **{name: os.environ[name.upper()] for name in self._names})

        return with_settings
