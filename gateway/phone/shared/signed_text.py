"""Finds the text that a request's signature was made of, where there may be several of each. Pure."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from gateway.phone.shared.http_request import same

GIVEN_LIMIT = 4
"""Signatures of one request that are compared: by two senders, each under two secrets."""

Key = TypeVar("Key", str, bytes)


def signed_text(
    given: Iterable[str], texts: Iterable[bytes], secrets: Sequence[Key], sign: Callable[[Key, bytes], str]
) -> bytes | None:
    """Return the text over which one of ``given`` is the signature by one of ``secrets``; ``None`` where none is.

    ``texts`` are the forms of what may have been signed, such as the spellings of an address: each costs a hash for
    each secret. Of a signature there may be several while a secret is replaced, of which ``GIVEN_LIMIT`` are compared.
    """
    compared = tuple(islice(given, GIVEN_LIMIT))
    for text in texts:
        for secret in secrets:
            expected = sign(secret, text)
            if any(same(one, expected) for one in compared):
                return text
    return None
