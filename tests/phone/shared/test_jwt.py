"""JSON Web Tokens with a shared secret."""

import hashlib
from typing import Any

import jwt
import pytest

from gateway.phone.provider import SignatureError
from gateway.phone.shared.jwt import algorithm, bearer, check_payload_hash, read_hs256

NOW = 1_697_634_680
# Vector of Vonage's own Python library (vonage-python-sdk, jwt/tests).
SECRET = "qwertyuiopasdfghjklzxcvbnm123456"
VECTOR = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJPbmxpbmUgSldUIEJ1aWxkZXIiLCJpYXQiOjE2OTc2MzQ2ODAsImV4cCI6MzMyNTQ1"
    "NDA4MjgsImF1ZCI6IiIsInN1YiI6IiJ9.88vJc3I2HhuqEDixHXVhc9R30tA6U_HQHZTC29y6CGM"
)


def test_official_vector() -> None:
    """The vendor's token holds as long as it is fresh."""
    for now_s in (NOW - 300, NOW, NOW + 300):
        assert read_hs256(VECTOR, (SECRET,), now_s)["iss"] == "Online JWT Builder"


def test_no_byte_of_the_vector_may_change() -> None:
    """Header, claims and signature are all bound."""
    for at, char in enumerate(VECTOR):
        altered = VECTOR[:at] + ("A" if char != "A" else "B") + VECTOR[at + 1 :]
        with pytest.raises(SignatureError):
            read_hs256(altered, (SECRET,), NOW)


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode({"iat": NOW, **claims}, secret, algorithm=algorithm)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (token(iat=NOW - 301), "issued at"),
        (token(iat=NOW + 301), "issued at"),
        (token(iat="x"), "issued at"),
        (token(iat=float("nan")), "issued at"),
        (token(iat=None), "issued at"),
        (token(exp=NOW - 301), "expired"),
        (token(secret=SECRET[::-1]), "is wrong"),
        (token(secret="", algorithm="none"), "is wrong"),
        (token(secret=SECRET * 2, algorithm="HS512"), "is wrong"),
        ("é.\udc80", "is wrong"),
        ("W1tb" * 2000 + ".e30.AA", "is wrong"),
        ("", "is wrong"),
    ],
)
def test_tokens_that_are_refused(bad: str, says: str) -> None:
    """Forged, old, of the future, without a time, of another algorithm, nonsense: for a reason that the log tells."""
    with pytest.raises(SignatureError, match=says):
        read_hs256(bad, (SECRET,), NOW)


@pytest.mark.parametrize("given", [None, 7, "", "\udc80", "00" * 32])
def test_a_hash_that_is_not_the_body_s(given: object) -> None:
    """Missing counts as wrong."""
    with pytest.raises(SignatureError, match="payload_hash"):
        check_payload_hash({} if given is None else {"payload_hash": given}, b"")


def test_the_body_s_hash() -> None:
    """In hexadecimal of either case (FIPS 180-2, appendix B.1)."""
    digest = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
    check_payload_hash({"payload_hash": digest}, b"abc")
    check_payload_hash({"payload_hash": digest.lower()}, b"abc")


COMPACT = '{"from":"14155550100","name":"J\u00fcrgen/M","n":[1,true,null]}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        COMPACT,
        b'{ "from": "14155550100", "name": "J\\u00fcrgen\\/M",\n "n": [1, true, null] }',
        '{"from": "14155550100", "name": "J\u00fcrgen/M", "n": [1, true, null]}'.encode(),
    ],
)
def test_the_hash_of_the_json_without_spaces(body: bytes) -> None:
    """Vonage may hash what it sends, or the same JSON written anew."""
    for signed in (body, COMPACT):
        check_payload_hash({"payload_hash": hashlib.sha256(signed).hexdigest()}, body)


@pytest.mark.parametrize(
    "body",
    [
        COMPACT.replace(b"14155550100", b"14155550101"),
        COMPACT.replace(b"true", b"false"),
        COMPACT[:-1] + b',"status":"completed"}',
        COMPACT[:-1] + b',"from":"14155550101"}',
        b'{"n":[1,true,null],' + COMPACT[1:-21] + b"}",
        b"[" + COMPACT + b"]",
        COMPACT[:-1],
        b'{"x":' + b"[" * 100_000,
        b"\xff",
        b"",
    ],
)
def test_a_body_that_says_something_else_is_refused(body: bytes) -> None:
    """Whatever is changed in it, added to it or left out."""
    with pytest.raises(SignatureError, match="payload_hash"):
        check_payload_hash({"payload_hash": hashlib.sha256(COMPACT).hexdigest()}, body)


@pytest.mark.parametrize(
    ("header", "found"),
    [("Bearer a.b.c", "a.b.c"), ("bearer  a ", "a"), ("Basic a", ""), ("", ""), ("Bearer", "")],
)
def test_the_bearer_of_a_header(header: str, found: str) -> None:
    """The scheme's case does not count (RFC 9110 §11.1)."""
    assert bearer({"authorization": header} if header else {}) == found


def test_what_a_token_is_signed_with() -> None:
    """By its own word, which proves nothing."""
    assert algorithm(VECTOR) == "HS256"
    for bad in ("x", "é", "\udc80", "W1tb" * 2000 + ".e30.AA"):
        with pytest.raises(SignatureError, match="no JWT"):
            algorithm(bad)
