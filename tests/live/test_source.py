"""A process as its reader sees it; tests/live/test_watch.py reads live ones."""

from pathlib import Path

import pytest

from gateway.live.messages import OrderFor
from gateway.live.source import GONE, Reader, Source


async def test_a_process_that_is_gone_raises_what_its_reader_expects(tmp_path: Path) -> None:
    """For updates and orders alike."""
    async with Reader(Source(str(tmp_path / "live-1.sock"))) as reader:
        with pytest.raises(GONE):
            await anext(aiter(reader.updates()))
        with pytest.raises(GONE):
            await reader.order(OrderFor("twilio", "CA1"))
