"""The signature over URL and form; the vendors' vectors are in the tests of each."""

import base64
import hmac

import pytest
from msgspec.structs import replace

from gateway.phone.dialects.twilio.signature import check, is_signed
from gateway.phone.provider import SignatureError
from gateway.phone.shared.http_request import basic
from gateway.phone.webhook import WebhookRequest

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
REPEATED = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
ONCE_AND_SORTED = "IK+Dwps556ElfBT0I3Rgjkr1wJU="
"""twilio-python, tests/unit/test_request_validator.py."""
BODY = b'{"property": "value", "boolean": true}'
HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


def test_the_order_of_fields_does_not_matter_and_that_of_values_may() -> None:
    """Fields are sorted by name in either case."""
    assert is_signed(ONCE_AND_SORTED, [URL], REPEATED[::-1], ("12345",))
    assert is_signed(ONCE_AND_SORTED, [URL], REPEATED[:4], ("12345",))
    assert not is_signed(ONCE_AND_SORTED, [URL], REPEATED, ("12345",), as_sent=True)
    once = [*REPEATED[:2], ("Digits", "1234"), ("Digits", "5678")]
    assert is_signed(ONCE_AND_SORTED, [URL], once, ("12345",), as_sent=True)


@pytest.mark.parametrize("body_hash", [HASH, HASH.upper()])
def test_a_body_is_bound_by_its_hash(body_hash: str) -> None:
    """In the URL, which is signed; in either case of its letters."""
    signatures = {HASH: "a9nBmqA0ju/hNViExpshrM61xv4=", HASH.upper(): "KF9uuYbODKamvlRt1B1bFONb+Q8="}
    url = f"{URL}&bodySHA256={body_hash}"
    check(WebhookRequest("POST", url, {}, body=BODY), signatures[body_hash], ("12345",), "X-Signature")
    with pytest.raises(SignatureError, match="bodySHA256"):
        check(WebhookRequest("POST", url, {}, body=BODY + b" "), signatures[body_hash], ("12345",), "X-Signature")


def test_credentials_in_the_url_are_signed_with_it() -> None:
    """A provider that is given ``https://user:password@…`` sends them in a header and signs the URL as it was given."""
    signed = base64.b64encode(hmac.digest(b"12345", b"https://u:p%401@h.example/aSidCA1", "sha1")).decode()
    headers = {"authorization": basic("u", "p@1")}
    request = WebhookRequest("POST", "https://h.example/a", headers, form=[("Sid", "CA1")])
    check(request, signed, ("12345",), "X-Signature")
    check(
        request, base64.b64encode(hmac.digest(b"12345", b"https://h.example/aSidCA1", "sha1")).decode(), ("12345",), ""
    )
    with pytest.raises(SignatureError):
        check(replace(request, headers={"authorization": basic("u", "p")}), signed, ("12345",), "X-Signature")


def test_the_refusal_names_the_header() -> None:
    """Not the signature that was expected."""
    for given, says in (("", r"^X-Signature is missing$"), ("x", r"^X-Signature is wrong$")):
        with pytest.raises(SignatureError, match=says):
            check(WebhookRequest("POST", URL, {}), given, ("12345",), "X-Signature")
