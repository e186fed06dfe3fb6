"""The keys that ACS publishes."""

import pytest

from gateway.errors import WireError
from gateway.phone.providers.acs.published_keys import AcsKeys
from gateway.phone.requests import HttpRequest
from gateway.phone.shared.jwks import UnknownKeyError
from tests.phone.providers.acs.test_provider import JWKS, NOW_S, RESOURCE, bearer

URL = "https://keys.example.com"
TOKEN = bearer().removeprefix("Bearer ")


def test_keys_are_fetched_plainly_and_a_bad_document_leaves_the_old_ones() -> None:
    """It may be fetched twice."""
    keys = AcsKeys(URL, RESOURCE)
    assert keys.request() == HttpRequest("GET", URL, repeatable=True)
    with pytest.raises(UnknownKeyError, match="have not been fetched"):
        keys.check(TOKEN, NOW_S)
    keys.replace(JWKS)
    with pytest.raises(WireError, match="JWKS"):
        keys.replace(b"<html>")
    keys.check(TOKEN, NOW_S)
