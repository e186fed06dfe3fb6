"""Plivo's signatures: HMAC-SHA256 over an address and a nonce, in headers named by each provider. Pure."""

import base64
import hashlib
import hmac
import itertools
from collections.abc import Iterable, Mapping

from gateway.phone.provider import SignatureError

TEXTS_LIMIT = 4
GIVEN_LIMIT = 4
"""Signatures of one request that are compared: account and main account, each under two tokens."""


def signature_v3(token: str, text: str, nonce: str) -> str:
    """Return the base64 of the HMAC over text, a dot and the nonce."""
    signed = f"{text}.{nonce}".encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.digest(token.encode(), signed, "sha256")).decode()


def verify_v3(headers: Mapping[str, str], prefix: str, tokens: tuple[str, ...], texts: Iterable[str]) -> str:
    """Check ``<prefix>-signature-v3`` (or ``-ma-v3``, of the main account) over any of ``texts``.

    Returns a hash of what is signed, nonce included: the nonce alone would be another one, and the signature still
    right, where a dot and what stands before it moved from the text into the nonce. A header may hold several
    signatures, with commas between. At most ``TEXTS_LIMIT`` texts and ``GIVEN_LIMIT`` signatures are tried. Raises
    ``SignatureError``.
    """
    nonce = headers.get(f"{prefix}-signature-v3-nonce", "")
    given = ",".join(value for name in ("v3", "ma-v3") if (value := headers.get(f"{prefix}-signature-{name}")))
    if not nonce or not given.strip(","):
        raise SignatureError(f"{prefix}-signature-v3 or its nonce is missing")
    signatures = [one.strip().encode("utf-8", "surrogatepass") for one in given.split(",", GIVEN_LIMIT)[:GIVEN_LIMIT]]
    forms = (form for text in texts for form in _encodings(text))
    for signed in itertools.islice(forms, TEXTS_LIMIT):
        for token in tokens:
            expected = signature_v3(token, signed, nonce).encode()
            if any(hmac.compare_digest(one, expected) for one in signatures):
                return hashlib.sha256(f"{signed}.{nonce}".encode("utf-8", "surrogatepass")).hexdigest()
    raise SignatureError(f"{prefix}-signature-v3 is wrong")


def _encodings(text: str) -> tuple[str, ...]:
    """Return the text as it is, and as Plivo's own library signs it: encoded in UTF-8 twice."""
    twice = text.encode("utf-8", "surrogatepass").decode("latin-1")
    return (text,) if twice == text else (text, twice)
