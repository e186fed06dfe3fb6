"""HTTP requests to a provider's REST API as data, and steps: requests that need the answers to those before. Pure."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from msgspec import Struct

Result = TypeVar("Result")


class HttpRequest(Struct, frozen=True):
    """An HTTP request to make. It says itself which answers count as success, and whether it may be repeated."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    gone: tuple[int, ...] = ()
    """Statuses that count as success: of a hang-up those that say that the call is over already."""
    repeatable: bool = False
    """``True`` if doing it twice does no harm: then it is tried again when its outcome is unknown."""


Steps: TypeAlias = Generator[HttpRequest, bytes, Result]
"""Yields a request, is sent the body of its answer, and so on; returns the result.

Steps raise ``WireError`` for an answer that they cannot use. The error names the request that was made last. Where a
request fails, the steps after it are not taken.
"""

Requests: TypeAlias = Sequence[HttpRequest] | Steps[None]
"""Requests to make in order, written at once or step by step."""


def in_order(requests: Iterable[HttpRequest]) -> Steps[bytes]:
    """Make each request; return the body of the last answer. Steps take others in by ``yield from in_order(…)``."""
    body = b""
    for request in requests:
        body = yield request
    return body
