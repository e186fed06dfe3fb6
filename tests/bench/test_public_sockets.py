"""Tests of the bench that compares the public sockets with the fast ones."""

import pytest

from bench import public_sockets
from bench.public_sockets import cost, report


@pytest.mark.parametrize("way", ["fast", "public"])
async def test_a_second_of_a_call_is_measured_in_both_ways(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Every message arrives, and what that takes is more than nothing."""
    monkeypatch.setattr(public_sockets, "SECONDS", 1)
    assert await cost("public" if way == "public" else "fast") > 0


def test_the_middle_of_the_rounds_is_told() -> None:
    """One round that was disturbed counts for nothing."""
    said = report([100, 90_000, 300], [1000, 400, 500])
    assert said.startswith("a second of a call: fast 300 µs, public 500 µs of processor time, 200 µs more (0.02 % ")
