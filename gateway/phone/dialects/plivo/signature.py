"""Plivo's signatures: HMAC-SHA256 over an address and a nonce, in headers named by each provider. Pure."""

import base64
import hashlib
import hmac
import itertools
from collections.abc import Iterable, Mapping

from gateway.phone.provider import SignatureError
from gateway.phone.shared.signed_text import signed_text

TEXTS_LIMIT = 4


def signature_v3(token: str, text: str, nonce: str) -> str:
    """Return the base64 of the HMAC over text, a dot and the nonce."""
    return _sign(token, _signed(text, nonce))


def verify_v3(headers: Mapping[str, str], prefix: str, tokens: tuple[str, ...], texts: Iterable[str]) -> str:
    """Check ``<prefix>-signature-v3`` (or ``-ma-v3``, of the main account) over any of ``texts``.

    Returns a hash of what is signed, nonce included: the nonce alone would be another one, and the signature still
    right, where a dot and what stands before it moved from the text into the nonce. A header may hold several
    signatures, with commas between. At most ``TEXTS_LIMIT`` texts are tried. Raises ``SignatureError``.
    """
    nonce = headers.get(f"{prefix}-signature-v3-nonce", "")
    given = ",".join(value for name in ("v3", "ma-v3") if (value := headers.get(f"{prefix}-signature-{name}")))
    if not nonce or not given.strip(","):
        raise SignatureError(f"{prefix}-signature-v3 or its nonce is missing")
    forms = (_signed(form, nonce) for text in texts for form in _encodings(text))
    signed = signed_text(map(str.strip, given.split(",")), itertools.islice(forms, TEXTS_LIMIT), tokens, _sign)
    if signed is None:
        raise SignatureError(f"{prefix}-signature-v3 is wrong")
    return hashlib.sha256(signed).hexdigest()


def _signed(text: str, nonce: str) -> bytes:
    return f"{text}.{nonce}".encode("utf-8", "surrogatepass")


def _sign(token: str, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(token.encode(), signed, "sha256")).decode()


def _encodings(text: str) -> tuple[str, ...]:
    """Return the text as it is, and as Plivo's own library signs it: encoded in UTF-8 twice."""
    twice = text.encode("utf-8", "surrogatepass").decode("latin-1")
    return (text,) if twice == text else (text, twice)
