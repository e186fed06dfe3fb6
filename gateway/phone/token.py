"""The stream's own key: a token in our answer document that the stream brings back. Pure; crypto by ``cryptography``.

Fernet (AES-128-CBC and HMAC-SHA256, with the time of issue): whoever sees the token in a log of URLs learns no number
from it, and any process with the key can check it.
"""

import base64
import hashlib
import secrets
from collections import OrderedDict

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from gateway.phone.provider import Grant, SignatureError
from gateway.text import json_bytes

USED_LIMIT = 100_000
"""Tokens remembered as used; at 60 s of life that is 1,600 calls a second."""


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    provider: str
    nonce: str
    grant: Grant


class StreamTokens:
    """Issues and redeems tokens. ``now_s`` is Unix time.

    A token is good for one stream of the call it was issued for. That it was used is known to this process alone; a
    replica that shares the key can redeem it once more within its life of ``ttl_s``.
    """

    def __init__(self, key: str, ttl_s: float, old_key: str = "") -> None:
        """Issue with ``key``; while it replaces ``old_key``, redeem what was issued with that too."""
        keys = [key, old_key] if old_key else [key]
        digests = [hashlib.sha256(one.encode()).digest() for one in keys]
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
        self.ttl_s = ttl_s
        self._used: OrderedDict[str, float] = OrderedDict()

    def issue(self, provider: str, grant: Grant, now_s: float) -> str:
        """A token for one stream of this call, fit for a path."""
        claims = json_bytes(_Claims(provider, secrets.token_urlsafe(12), grant))
        return self._fernet.encrypt_at_time(claims, int(now_s)).decode().rstrip("=")

    def redeem(self, provider: str, token: str, now_s: float) -> Grant:
        """What the token vouches for; ``SignatureError`` where it is forged, too old, another's, or used."""
        padded = token + "=" * (-len(token) % 4)
        try:
            claims = msgspec.json.decode(
                self._fernet.decrypt_at_time(padded, int(self.ttl_s), int(now_s)), type=_Claims
            )
        except (InvalidToken, msgspec.DecodeError, ValueError):
            raise SignatureError("the stream's token is forged or too old") from None
        if claims.provider != provider:
            raise SignatureError(f"the stream's token was issued to {claims.provider}")
        self._forget(now_s)
        if claims.nonce in self._used:
            raise SignatureError("the stream's token was used before")
        self._used[claims.nonce] = now_s
        return claims.grant

    def _forget(self, now_s: float) -> None:
        while self._used:
            nonce, used_at = next(iter(self._used.items()))
            if used_at + self.ttl_s + 60 > now_s and len(self._used) < USED_LIMIT:
                return
            del self._used[nonce]
