"""Hashes of passwords: scrypt (RFC 7914), with its costs and salt beside it. Pure.

``scrypt$16384$8$1$SALT$HASH``, the last two in base64 for URLs. Parameters are those that OWASP names as the least for
scrypt (Password Storage Cheat Sheet), with 16 MiB for each check.
"""

import base64
import hashlib
import hmac
import re
import secrets

N, R, P = 1 << 14, 8, 5
SALT_BYTES, HASH_BYTES = 16, 32
SHORTEST = 10
"""Characters of the shortest password."""
_MOST_MEMORY = 64 << 20
_FORM = re.compile(r"scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]{16,})\$([\w-]{40,})")


def hashed(password: str, n: int = N) -> str:
    """Return the hash of a password, of cost ``n``. Raises ``ValueError`` for one that is too short."""
    if len(password) < SHORTEST:
        raise ValueError(f"is too short, expected {SHORTEST} characters or more")
    salt = secrets.token_bytes(SALT_BYTES)
    return f"scrypt${n}${R}${P}${_text(salt)}${_text(_scrypt(password, salt, n, R, P))}"


def nobodys() -> str:
    """Return a hash that no password is known to have, and that takes as long to check as any."""
    return f"scrypt${N}${R}${P}${_text(secrets.token_bytes(SALT_BYTES))}${_text(secrets.token_bytes(HASH_BYTES))}"


def is_hash(text: str) -> bool:
    """Return whether a text is a hash that can be checked, at a cost that is bounded."""
    found = _FORM.fullmatch(text)
    if found is None:
        return False
    n, r, p = (int(found[at]) for at in (1, 2, 3))
    return n > 1 and n & (n - 1) == 0 and 0 < 128 * n * r < _MOST_MEMORY and 0 < p <= 16


def matches(password: str, known: str) -> bool:
    """Return whether a password has this hash; it takes some hundredths of a second."""
    found = _FORM.fullmatch(known)
    if found is None or not is_hash(known):
        return False
    n, r, p = (int(found[at]) for at in (1, 2, 3))
    return hmac.compare_digest(_text(_scrypt(password, _bytes(found[4]), n, r, p)), found[5])


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=HASH_BYTES)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
