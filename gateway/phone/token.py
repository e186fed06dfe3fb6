"""The stream's own key: a token in our answer document that the stream brings back. Pure; crypto by ``cryptography``.

Fernet (AES-128-CBC and HMAC-SHA256, with the time of issue): a token in a log of URLs reveals no number, and
any process with the key can check it.
"""

import base64
import hashlib
import secrets

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from gateway.phone.provider import Grant, SignatureError
from gateway.text import json_bytes


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """The content of a token. Its ``nonce`` is unique: the code that accepts the token remembers it."""

    provider: str
    nonce: str
    grant: Grant
    until: int = 0
    """The Unix time from which it is too old, however long others are good; 0 for one that is good as long as they."""


class StreamTokens:
    """Issues and reads tokens, good for ``ttl_s``. ``now_s`` is Unix time."""

    def __init__(self, key: str, ttl_s: float, old_key: str = "") -> None:
        """Issue with ``key``; while it replaces ``old_key``, read what was issued with that too."""
        keys = [key, old_key] if old_key else [key]
        digests = [hashlib.sha256(one.encode()).digest() for one in keys]
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
        self.ttl_s = ttl_s

    def issue(self, provider: str, grant: Grant, now_s: float, life_s: float = 0.0) -> str:
        """Return a token for one stream of this call, fit for a path; it is good for ``life_s``, if that is given."""
        until = int(now_s + life_s) if life_s else 0
        claims = json_bytes(Claims(provider, secrets.token_urlsafe(12), grant, until))
        return self._fernet.encrypt_at_time(claims, int(now_s)).decode().rstrip("=")

    def read(self, provider: str, token: str, now_s: float, life_s: float | None = None) -> Claims:
        """Return a token's content; raise ``SignatureError`` where it is forged, too old, or another provider's.

        It is too old ``life_s`` seconds after its issue, or ``ttl_s`` where that is ``None``.
        """
        padded = token + "=" * (-len(token) % 4)
        life_s = self.ttl_s if life_s is None else life_s
        try:
            claims = msgspec.json.decode(self._fernet.decrypt_at_time(padded, int(life_s), int(now_s)), type=Claims)
        except (InvalidToken, msgspec.DecodeError, ValueError):
            raise SignatureError("the stream's token is forged or too old") from None
        if 0 < claims.until <= now_s:
            raise SignatureError("the stream's token is too old")
        if claims.provider != provider:
            raise SignatureError(f"the stream's token was issued to {claims.provider}")
        return claims
