"""Reads the claims of a Microsoft Entra token, without verifying it: it is ours, and is never shown. Pure."""

from typing import Any

import jwt
from msgspec import Struct


class Claims(Struct, frozen=True):
    """The claims of an access token that explain a refusal (Microsoft identity platform, access token claims)."""

    audience: str
    tenant: str
    identity: str
    """The application's or the person's object id."""
    expires_s: float
    """Seconds since the epoch; 0 where the token does not say."""


def claims_of(token: str) -> Claims | None:
    """Return the claims of a token; ``None`` where it is no JSON Web Token, which a token need not be."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, UnicodeError):
        return None
    expires = claims.get("exp")
    return Claims(
        audience=_text(claims.get("aud")),
        tenant=_text(claims.get("tid")),
        identity=_text(claims.get("oid") or claims.get("appid")),
        expires_s=float(expires) if isinstance(expires, int | float) else 0.0,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
