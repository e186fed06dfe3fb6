"""JSON Web Tokens signed with a shared secret, as providers send them in ``Authorization`` (RFC 7519). Pure."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

import jwt
from jwt.types import Options

from gateway.phone.provider import SignatureError
from gateway.phone.shared.json_text import UNREADABLE, read_object

FRESH_S = 300
"""The largest difference between ``iat`` and our clock, in either direction."""
_SIGNATURE_ALONE: Options = {  # the times are checked here, by the given clock
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token of an ``Authorization: Bearer`` header, or an empty text."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def algorithm(token: str) -> str:
    """Return the algorithm that a token names; raise ``SignatureError`` where it is no token."""
    try:
        return str(jwt.get_unverified_header(token).get("alg"))
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SignatureError(f"the bearer is no JWT: {error}") from None


def read_hs256(token: str, secrets: tuple[str, ...], now_s: float) -> Mapping[str, Any]:
    """Return the claims of a token that one of ``secrets`` has signed (HS256), fresh at ``now_s`` (Unix time).

    Raises ``SignatureError`` where it is forged, expired, or its ``iat`` is missing or more than ``FRESH_S`` away.
    """
    claims = _claims(token, secrets)
    issued_s, expires_s = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_s, int | float) or not now_s - FRESH_S <= issued_s <= now_s + FRESH_S:
        raise SignatureError(f"the JWT was issued at {str(issued_s)[:40]}, expected within {FRESH_S} s of {now_s:.0f}")
    if isinstance(expires_s, int | float) and expires_s < now_s - FRESH_S:
        raise SignatureError("the JWT has expired")
    return claims


def _claims(token: str, secrets: tuple[str, ...]) -> Mapping[str, Any]:
    problem: Exception | None = None
    for secret in secrets:
        try:
            claims: Mapping[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=_SIGNATURE_ALONE)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            problem = error
        else:
            return claims
    raise SignatureError(f"the JWT is wrong: {problem}")


def check_payload_hash(claims: Mapping[str, Any], body: bytes) -> None:
    """Raise ``SignatureError`` where ``payload_hash`` is not the SHA-256 of the body, in hexadecimal.

    Vonage's pages name the body as it is sent, its support article the JSON written anew without spaces. Either is
    right: both mean what the body says, in the words of the reader that reads it afterwards.
    """
    given = str(claims.get("payload_hash", "")).lower().encode("utf-8", "surrogatepass")
    hashes = (hashlib.sha256(form).hexdigest() for form in _forms(body))
    if not any(hmac.compare_digest(given, expected.encode()) for expected in hashes):
        raise SignatureError("the JWT's payload_hash is missing or is not the body's")


def _forms(body: bytes) -> Iterator[bytes]:
    """Yield a body as it is, and, if it is a JSON object, written anew without spaces, letters as they are."""
    yield body
    try:
        compact = json.dumps(read_object(body), separators=(",", ":"), ensure_ascii=False).encode()
    except (*UNREADABLE, ValueError):
        return
    if compact != body:
        yield compact
