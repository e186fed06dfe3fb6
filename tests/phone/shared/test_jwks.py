"""Tokens signed by published keys: every claim that counts, and nothing else raised."""

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import WireError
from gateway.phone.provider import SignatureError
from gateway.phone.shared.jwks import CLOCK_SKEW_S, Keys, UnknownKeyError, read_keys, verify_token

NOW_S = 1_700_000_000.0
KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
CLAIMS = {"iss": "https://issuer", "aud": "our-resource", "exp": NOW_S + 300, "nbf": NOW_S}


def document(*keys: tuple[str, rsa.RSAPrivateKey]) -> bytes:
    published = [
        {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": name, "use": "sig"}
        for name, key in keys
    ]
    return json.dumps({"keys": published}).encode()


@pytest.fixture(scope="module")
def keys() -> Keys:
    """Two published keys."""
    return read_keys(document(("k1", KEY), ("k2", OTHER_KEY)))


def token(key: rsa.RSAPrivateKey = KEY, kid: str | None = "k1", **claims: Any) -> str:
    merged = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(merged, key, "RS256", headers={"kid": kid} if kid else None)


def url_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def check(given: str, keys: Keys, now_s: float = NOW_S) -> None:
    verify_token(given, keys, issuer="https://issuer", audience="our-resource", now_s=now_s)


def test_a_right_token_is_taken(keys: Keys) -> None:
    """By either key, to the last moment of its life and the clocks' difference."""
    check(token(), keys)
    check(token(OTHER_KEY, "k2"), keys)
    check(token(nbf=None), keys)
    check(token(aud=["another", "our-resource"]), keys)
    check(token(), keys, NOW_S + 300 + CLOCK_SKEW_S)
    check(token(), keys, NOW_S - CLOCK_SKEW_S)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"iss": "https://other"}, "issuer"),
        ({"iss": None}, "iss"),
        ({"aud": "another"}, "udience"),
        ({"aud": None}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": NOW_S - CLOCK_SKEW_S - 1}, "expired"),
        ({"exp": "soon"}, "expired"),
        ({"exp": float("nan")}, "expired"),
        ({"nbf": NOW_S + CLOCK_SKEW_S + 1}, "not valid yet"),
        ({"nbf": "later"}, "not valid yet"),
        ({"kid": None, "key": OTHER_KEY}, "published"),
        ({"kid": "k3"}, "published"),
        ({"kid": "k2"}, "Signature"),
        ({"key": OTHER_KEY}, "Signature"),
    ],
)
def test_a_wrong_token_is_refused(keys: Keys, claims: dict[str, Any], says: str) -> None:
    """For another issuer or audience, out of its time, by another key."""
    with pytest.raises(SignatureError, match=says):
        check(token(**claims), keys)


def test_an_unknown_key_is_told_apart(keys: Keys) -> None:
    """The keys may have changed: they are fetched for it, and for no token that could not be right in any case."""
    with pytest.raises(UnknownKeyError):
        check(token(kid="k3"), keys)
    with pytest.raises(UnknownKeyError):
        check(token(), {})
    for hopeless in (
        "",
        "x",
        "a.b.c",
        token(kid=None),
        token(kid=""),
        jwt.encode(CLAIMS, "s" * 32, headers={"kid": "k3"}),
    ):
        with pytest.raises(SignatureError) as caught:
            check(hopeless, keys)
        assert not isinstance(caught.value, UnknownKeyError)


def test_every_altered_byte_is_refused(keys: Keys) -> None:
    """Of header, claims and signature; the spare bits at the end of base64 are not bytes of the signature."""
    right = token()
    for at in range(len(right) - 1):
        altered = right[:at] + ("A" if right[at] != "A" else "B") + right[at + 1 :]
        with pytest.raises(SignatureError):
            check(altered, keys)


def test_no_other_algorithm_is_taken(keys: Keys) -> None:
    """Neither none, nor the public key used as a shared secret."""
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = token().split(".")[1]
    for algorithm in ("none", "HS256"):
        text = f"{url_base64(json.dumps({'alg': algorithm, 'kid': 'k1'}).encode())}.{claims}"
        proof = hmac.digest(public, text.encode(), "sha256") if algorithm == "HS256" else b""
        with pytest.raises(SignatureError):
            check(f"{text}.{url_base64(proof)}", keys)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "a.b.c",
        "\udcff",
        "..",
        url_base64(b'{"a":' * 2000) + ".e30.x",
        token() + ".",
    ],
)
def test_what_is_no_token_is_refused(keys: Keys, given: str) -> None:
    """Nothing but SignatureError, whatever an Authorization header holds."""
    with pytest.raises(SignatureError):
        check(given, keys)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"{}",
        b'{"keys":[]}',
        b'{"keys":7}',
        b'{"keys":[7]}',
        b'{"keys":[{"kty":"RSA"}]}',
        b'{"keys":[{"kty":"oct","kid":"k1","k":"AAAA"}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_jwks_is_refused(given: bytes) -> None:
    """A document without a key that can be used is a WireError, and nothing else."""
    with pytest.raises(WireError, match="JWKS"):
        read_keys(given)
