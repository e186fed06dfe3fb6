"""The rules that hold whatever happens: no exception, one end, nothing before the session, no deadline that stays."""

import pytest

from tests.random_call import run

CALLS = 2000
AT_ONCE = 250


@pytest.mark.parametrize("first", range(0, CALLS, AT_ONCE))
def test_whatever_happens(first: int) -> None:
    """Each seed is a call of a hundred random events; a failure tells the seed and what led there."""
    for seed in range(first, first + AT_ONCE):
        run(seed)
