"""Numbers without a plus."""

import pytest

from gateway.phone.shared.numbers import without_plus


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("+14155550100", "14155550100"),
        ("14155550100", "14155550100"),
        ("+1001", "+1001"),
        ("", ""),
        ("sip:+1", "sip:+1"),
    ],
)
def test_only_full_numbers_lose_their_plus(number: str, written: str) -> None:
    """What had no plus added keeps what it has."""
    assert without_plus(number) == written
