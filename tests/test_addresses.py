"""Numbers and addresses in all the spellings that providers send."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import E164, destination, is_possible, is_sip, is_valid, read, readings, region_of


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+14255550100", "", "+14255550100"),
        ("14255550100", "", "+14255550100"),
        ("+1 (425) 555-0100", "", "+14255550100"),
        ("0049301234567", "", "+49301234567"),
        ("0049301234567", "US", "+49301234567"),
        ("+0049301234567", "", "+49301234567"),
        ("011442079460000", "US", "+442079460000"),
        ("0301234567", "DE", "+49301234567"),
        ("030 / 1234567", "DE", "+49301234567"),
        ("+49 (0)30 1234567", "", "+49301234567"),
        ("02079460000", "GB", "+442079460000"),
        ("(425) 555-0102", "US", "+14255550102"),
        ("4255550102", "US", "+14255550102"),
        ("9262345678", "IN", "+919262345678"),
        ("09262345678", "IN", "+919262345678"),
        ("+09262345678", "IN", "+919262345678"),
        ("919262345678", "IN", "+919262345678"),
        ("8047491899", "IN", "+918047491899"),
        ("14155550123", "DE", "+14155550123"),
        ("15205551234", "DE", "+15205551234"),
        ("33123456789", "DE", "+33123456789"),
        ("493023125000", "DE", "+493023125000"),
        ("912345678", "ES", "+34912345678"),
        ("sip:14255550100@sip.example.com", "", "+14255550100"),
        ("sip:+14255550100;ext=5@sip.example.com;user=phone", "", "+14255550100"),
        ("SIPS:+14255550100@sip.example.com:5061?x=y", "", "+14255550100"),
        ('"Anna" <sip:%2B14255550100@10.0.0.1>', "", "+14255550100"),
        ("+14255550100@10.0.0.1", "", "+14255550100"),
        ("tel:+1-425-555-0100;ext=5", "", "+14255550100"),
        ("+14255550100;ext=5", "", "+14255550100"),
        ("+14255550100 ext. 5", "", "+14255550100"),
        ("+14255550100,,5", "", "+14255550100"),
        ("tel:7042;phone-context=+1425555", "", "+14255557042"),
        ("sip:0301234567@pbx", "DE", "+49301234567"),
        ("+1\u00a0425\u00a05550100", "", "+14255550100"),
        ("+1 425 555\u20110100", "", "+14255550100"),
        ("\u202a+14255550100\u202c", "", "+14255550100"),
        ("\uff0b\uff11\uff14\uff12\uff155550100", "", "+14255550100"),
        ("%2B14255550100", "", "+14255550100"),
    ],
)
def test_a_number_reads_alike_in_all_its_spellings(written: str, region: str, number: str) -> None:
    """With and without plus, international and trunk prefixes, as people, SIP and tel: write it."""
    assert read(written, region) == number


@pytest.mark.parametrize(
    ("written", "region", "stays"),
    [
        ("1001", "", "1001"),
        ("1001", "DE", "1001"),
        ("sip:1001@pbx.local", "", "1001"),
        ("0301234567", "", "0301234567"),
        ("9262345678", "", "9262345678"),
        ("4255550102", "", "4255550102"),
        ("anonymous", "", "anonymous"),
        ("sip:Support@PBX.example.com;transport=tls", "", "sip:Support@pbx.example.com"),
        ("8:acs:1-2_3", "", "8:acs:1-2_3"),
        ("client:bob", "", "client:bob"),
        ("٤٩٣٠١٢٣٤٥٦", "", "٤٩٣٠١٢٣٤٥٦"),
        ("", "", ""),
    ],
)
def test_nothing_is_made_up(written: str, region: str, stays: str) -> None:
    """An extension, a national number without its country and a name are not turned into some other number."""
    assert read(written, region) == stays


def test_the_likeliest_reading_comes_first() -> None:
    """The other readings are for a caller who knows which numbers exist."""
    assert readings("33123456789", "DE") == ("+33123456789", "+4933123456789", "33123456789")


@given(
    st.text(st.sampled_from('+0123456789 ()<>";@:.xsipteln%41\u0664é'), max_size=60), st.sampled_from(["", "DE", "US"])
)
def test_any_text_has_its_readings(text: str, region: str) -> None:
    """Each is a text, the first is the one that counts, and reading it again changes nothing of a number."""
    found = readings(text, region)
    assert all(found)
    assert read(text, region) == (found[0] if found else "")
    if re.fullmatch(E164, read(text, region)):
        assert read(read(text, region)) == read(text, region)


def test_a_long_text_is_no_address() -> None:
    """It is not even looked at: a pattern might take minutes."""
    text = "1" + " " * 60_000 + "z"
    assert readings(text) == (text,)


@pytest.mark.parametrize(
    "number", ["", "+", "sip:", "sip:@", "tel:", "<>", "<sip:>", "+" + "9" * 40, "0" * 40, "@", ";ext=5"]
)
def test_any_text_reads_as_something(number: str) -> None:
    """A caller may send any text as a number."""
    assert isinstance(read(number, "DE"), str)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("+14255550199", "+14255550199"),
        ("+1 425 555-0199", "+14255550199"),
        ("tel:+1-425-555-0199", "+14255550199"),
        ("+1\u00a0425\u00a0555\u20110199", "+14255550199"),
        ("TEL:+14255550199", "+14255550199"),
        ("sip:desk@example.com", "sip:desk@example.com"),
        ("SIP:Desk@example.com", "sip:Desk@example.com"),
        ("Sips:desk@example.com:5061;transport=tls", "sips:desk@example.com:5061;transport=tls"),
    ],
)
def test_a_place_to_transfer_to_has_one_form(written: str, place: str) -> None:
    """Schemes do not mind their case, and ``tel:`` is a number."""
    assert destination(written) == place
    assert is_sip(place) == (not place.startswith("+"))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("desk", "is neither a phone number"),
        ("4255550199", "is neither a phone number"),
        ("sip:desk", "is neither a phone number"),
        ("https://example.com", "is neither a phone number"),
        ("tel:555-0199", "is neither a phone number"),
        ("+14255550199;ext=5", "an extension"),
        ("tel:+14255550199;ext=5", "an extension"),
    ],
)
def test_what_nobody_can_dial_is_refused(written: str, message: str) -> None:
    """By what was expected."""
    with pytest.raises(ValueError, match=message):
        destination(written)


def test_what_numbering_plans_know() -> None:
    """Valid, possible, and whose."""
    assert is_valid("+14255550100")
    assert not is_valid("+15551234567")
    assert is_possible("+15551234567")
    assert not is_possible("+4255550102")
    assert (region_of("+49301234567"), region_of("+80012345678"), region_of("1001")) == ("DE", "", "")


def test_only_plain_digits_make_a_number() -> None:
    """Digits of other scripts are text to every provider."""
    with pytest.raises(ValueError, match="is neither"):
        destination("+1٤255550199")
