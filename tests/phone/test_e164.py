"""Numbers with and without a plus."""

import pytest

from gateway.phone.e164 import with_plus, without_plus


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("14155550100", "+14155550100"),
        ("+14155550100", "+14155550100"),
        (" 4930123456 ", "+4930123456"),
        ("1001", "1001"),
        ("0301234567", "0301234567"),
        ("٤٩٣٠١٢٣٤٥٦", "٤٩٣٠١٢٣٤٥٦"),
        ("anonymous", "anonymous"),
        ("sip:14155550100@example.com", "sip:14155550100@example.com"),
        ("", ""),
    ],
)
def test_only_full_numbers_get_a_plus(written: str, number: str) -> None:
    """An extension, a national number or an address must not be turned into another number."""
    assert with_plus(written) == number


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
def test_the_plus_goes_as_it_came(number: str, written: str) -> None:
    """What had no plus added keeps what it has."""
    assert without_plus(number) == written
