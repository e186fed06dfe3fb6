"""The requests that point a number of Twilio, and what comes of the API's answers."""

import pytest

from gateway.config.providers import Twilio
from gateway.errors import InputError
from tests.phone.pointed import COMPATIBLE, KEY, everything, point, recorded

SECTION = Twilio(account_sid="AC1", auth_token=KEY)


def test_a_number_is_pointed_by_these_requests() -> None:
    """And what is there already, such as other capabilities of an application, is kept."""
    assert everything("twilio", SECTION, COMPATIBLE) == recorded(__file__)


def test_an_id_that_leads_elsewhere_is_refused() -> None:
    """Cut: it may be anything."""
    with pytest.raises(InputError) as caught:
        next(point("twilio", Twilio(account_sid="..", auth_token=KEY)))
    assert str(caught.value) == (
        "the id '..' cannot be part of an address: expected one as the provider's console shows it"
    )
    away = Twilio(account_sid="../" + "a" * 50, auth_token=KEY)
    assert next(point("twilio", away)).url.startswith("https://api.twilio.com/2010-04-01/Accounts/..%2F")
