"""A thousand calls on which everything breaks: the third quarter of them. See ``tests/e2e/chaos.py``."""

from pathlib import Path

import pytest

from tests.e2e.chaos import make_calls


@pytest.mark.parametrize("first", range(500, 750, 125))
def test_every_call_ends_as_it_should(tmp_path: Path, first: int) -> None:
    """By the right reason, in time, and with nothing left: no task, socket, timer, session or place."""
    make_calls(tmp_path, range(first, first + 125))
