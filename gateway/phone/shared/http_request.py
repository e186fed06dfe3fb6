"""Requests to providers' REST APIs, and the credentials in headers. Pure."""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from msgspec.structs import replace

from gateway.config.reading.environment import bare
from gateway.phone.provider import SignatureError
from gateway.phone.requests import HttpRequest
from gateway.text import json_bytes


def form_request(
    url: str,
    form: Mapping[str, str],
    authorization: str,
    *,
    gone: tuple[int, ...] = (),
    repeatable: bool = False,
) -> HttpRequest:
    """Return a POST request with a form as its body."""
    headers = {"Authorization": authorization, "Content-Type": "application/x-www-form-urlencoded"}
    return HttpRequest("POST", url, headers, urlencode(form).encode(), gone, repeatable)


def json_request(
    url: str,
    body: Mapping[str, object],
    authorization: str,
    *,
    gone: tuple[int, ...] = (),
    repeatable: bool = False,
) -> HttpRequest:
    """Return a POST request with a JSON object as its body."""
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    return HttpRequest("POST", url, headers, json_bytes(body), gone, repeatable)


def ending(requests: Iterable[HttpRequest], gone: tuple[int, ...] = (404,)) -> tuple[HttpRequest, ...]:
    """Return requests that end a call. A call that is not found has ended already, and a second request does no harm.

    No other request may count ``gone`` as success: a transfer of a call that is not found has connected nobody.
    """
    return tuple(replace(request, gone=gone, repeatable=True) for request in requests)


def basic(user: str, password: str) -> str:
    """Return the value of ``Authorization`` for Basic credentials (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def bearer(token: str) -> str:
    """Return the value of ``Authorization`` for a bearer token (RFC 6750)."""
    return f"Bearer {token}"


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Return user and password of an ``Authorization`` header (RFC 7617); ``None`` where there are none.

    Bytes that are no UTF-8 are read as Latin-1: the RFC leaves the encoding open, and older clients use that.
    """
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = given.decode()
    except UnicodeDecodeError:
        text = given.decode("latin-1")
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def same(given: str, expected: str) -> bool:
    """Compare a given secret with the right one in constant time. Headers may hold bytes that are no text."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape"))


def is_one_of(given: str, expected: Iterable[str]) -> bool:
    """Return whether one of the secrets was given. While a secret is replaced, two are right.

    White space around it is ignored, as around ours: both may have been copied from the same place.
    """
    return any(same(bare(given), one) for one in expected)


def check_basic(
    authorization: str, passwords: Iterable[str], users: Iterable[str] | None = None, *, missing: str, wrong: str
) -> None:
    """Check the Basic credentials of an ``Authorization`` header; without ``users``, any user is right.

    Raises ``SignatureError``: with the text ``missing`` where there are none, with ``wrong`` where they are others.
    """
    credentials = basic_credentials(authorization)
    if credentials is None:
        raise SignatureError(missing)
    is_right = [users is None or is_one_of(credentials[0], users), is_one_of(credentials[1], passwords)]
    if not all(is_right):
        raise SignatureError(wrong)
