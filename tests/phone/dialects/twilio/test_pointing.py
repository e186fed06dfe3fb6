"""The webhook of a number, by Twilio's resource of it."""

import pytest

from gateway.errors import InputError
from gateway.phone.dialects.twilio.pointing import find_number
from gateway.phone.shared.http_request import basic
from tests.phone.parts import followed
from tests.phone.pointed import NUMBER, OLD, URLS


def test_a_number_is_found_by_itself_and_changed_by_its_id() -> None:
    """The first of those that are found; ids are escaped."""
    steps = find_number("https://api/Accounts/AC1", "AC1", "t", NUMBER, URLS)
    (found,), change = followed(steps, b'{"incoming_phone_numbers":[{"sid":"PN/1","voice_url":"%s"}]}' % OLD.encode())
    assert found.url == "https://api/Accounts/AC1/IncomingPhoneNumbers.json?PhoneNumber=%2B14255550100"
    assert found.headers == {"Authorization": basic("AC1", "t")}
    assert change.request.url == "https://api/Accounts/AC1/IncomingPhoneNumbers/PN%2F1.json"
    assert (change.before, change.after, change.fallback_after) == (OLD, URLS.answer, URLS.fallback)


def test_a_number_that_is_not_there_is_told() -> None:
    """The operator has entered it."""
    with pytest.raises(InputError, match="is not a number of this account"):
        followed(find_number("https://api", "AC1", "t", NUMBER, URLS), b"{}")
