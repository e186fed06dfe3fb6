"""Performs call control: the HTTP requests that providers' modules describe as data."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec

import aiohttp
import msgspec
import structlog

from gateway.errors import GatewayError
from gateway.phone.provider import HttpRequest

P = ParamSpec("P")
log = structlog.get_logger()

TIMEOUT_S = 5.0
TRIES = 3
BACKOFF_S = 0.25
ANSWER_LIMIT = 64 * 1024
TRY_AGAIN = frozenset({429, 502, 503, 504})
"""Statuses that say that the request was not carried out; call control may be asked for twice without harm."""


class _Token(msgspec.Struct):
    access_token: str


class CallControlError(GatewayError):
    """The provider did not do what was asked of it; told in one line."""


class CallControl:
    """One HTTP client for the process. Use as an async context manager."""

    def __init__(self) -> None:
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "CallControl":
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def perform(self, requests: Sequence[HttpRequest]) -> bytes:
        """Make the requests in order; the body of the last answer. Raises ``CallControlError`` at the first failure."""
        body = b""
        for request in requests:
            token = await self._token(request.authorize) if request.authorize else ""
            body = await self._perform(request, {"Authorization": f"Bearer {token}"} if token else {})
        return body

    async def _token(self, request: HttpRequest) -> str:
        answer = await self._perform(request, {})
        try:
            return msgspec.json.decode(answer, type=_Token).access_token
        except (msgspec.DecodeError, UnicodeError):
            raise CallControlError(f"{_where(request)} was answered without an access_token") from None

    async def _perform(self, request: HttpRequest, authorization: Mapping[str, str]) -> bytes:
        if self._http is None:
            raise RuntimeError("CallControl is used outside its context")
        where = _where(request)
        headers = {**request.headers, **authorization}
        failure = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(BACKOFF_S * 2**attempt)
            try:
                async with self._http.request(
                    request.method, request.url, headers=headers, data=request.body, allow_redirects=False
                ) as answer:
                    body = await answer.content.read(ANSWER_LIMIT)
            except TimeoutError:
                failure = f"{where} was not answered within {TIMEOUT_S:g} s"
                continue
            except ValueError as error:  # an address, a name in it or a header that HTTP does not allow
                failure = f"{where} cannot be sent: {_complaint(error)}"
                break
            except (aiohttp.ClientError, OSError) as error:
                failure = f"{where} failed: {error}"
                continue
            if answer.status < 300 or answer.status in request.gone:
                return body
            excerpt = " ".join(body[:200].decode("utf-8", "replace").split())
            failure = f"{where} was answered with {answer.status}: {excerpt}"
            if answer.status not in TRY_AGAIN:
                break
        raise CallControlError(failure)


def described(describe: Callable[P, Sequence[HttpRequest]], *args: P.args, **kwargs: P.kwargs) -> Sequence[HttpRequest]:
    """Return the requests that a provider describes. Raises ``CallControlError`` where they cannot be written."""
    try:
        return describe(*args, **kwargs)
    except ValueError as error:  # such as a call id with bytes that are no text
        raise CallControlError(f"the request cannot be made: {type(error).__name__}") from None


def _complaint(error: ValueError) -> str:
    """Tell what is wrong with a request; a header's value, which may be a secret, is not shown."""
    if isinstance(error, aiohttp.InvalidURL):
        return "its address is not one"
    return "a header has characters that HTTP does not allow" if "header" in str(error) else str(error)


def _where(request: HttpRequest) -> str:
    return f"{request.method} {request.url.partition('?')[0]}"
