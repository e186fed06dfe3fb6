"""Tokens (RFC 7519) signed with RS256 by one of a published set of keys (RFC 7517). Pure: the keys are data."""

from collections.abc import Mapping

import jwt

from gateway.errors import WireError
from gateway.phone.provider import SignatureError

CLOCK_SKEW_S = 60
"""The largest difference between the issuer's clock and ours."""

Keys = Mapping[str, jwt.PyJWK]
"""Keys by their id."""


class UnknownKeyError(SignatureError):
    """A token names a key that we do not have: it may be forged, or the keys may have changed."""


def read_keys(document: bytes) -> Keys:
    """Return the RS256 keys of a JWKS document; raise ``WireError`` where it is none, or holds none."""
    try:
        read = jwt.PyJWKSet.from_json(document.decode())
    except (jwt.PyJWTError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise WireError(f"not a JWKS document: {error}") from None
    keys = {key.key_id: key for key in read.keys if key.key_id and key.algorithm_name == "RS256"}
    if not keys:
        raise WireError("the JWKS document holds no RS256 key with an id")
    return keys


def verify_token(token: str, keys: Keys, *, issuer: str, audience: str, now_s: float) -> None:
    """Check a token (RFC 6750); raise ``SignatureError`` unless it is issued to us, right and valid now.

    The error is an ``UnknownKeyError`` where the token names a key that is none of ``keys``.
    """
    if not token:
        raise SignatureError("there is no Authorization: Bearer")
    try:
        key = keys.get(_key_id(token))
        if key is None:
            raise UnknownKeyError("the token's key is none of the published ones")
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=issuer,
            audience=audience,
            # now_s is the time, not the clock that the library would read
            options={"require": ["exp"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SignatureError(f"the token is refused: {error}") from None
    _check_time(claims.get("exp"), claims.get("nbf", 0), now_s)


def _key_id(token: str) -> str:
    """Return the id of the key that a token names; a token that names none, or another algorithm, needs no key."""
    header = jwt.get_unverified_header(token)
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str) or not key_id:
        raise SignatureError("the token names no published key: expected RS256 and a kid")
    return key_id


def _check_time(expires: object, not_before: object, now_s: float) -> None:
    if not isinstance(expires, int | float) or not now_s <= expires + CLOCK_SKEW_S:
        raise SignatureError("the token has expired")
    if not isinstance(not_before, int | float) or not not_before - CLOCK_SKEW_S <= now_s:
        raise SignatureError("the token is not valid yet")
