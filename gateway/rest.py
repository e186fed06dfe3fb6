"""Performs call control: the HTTP requests that providers' modules describe as data."""

import asyncio
import math
import re
import time
from asyncio import sleep
from collections.abc import Callable, Generator, Mapping
from email.utils import parsedate_to_datetime
from typing import ParamSpec

import aiohttp
import msgspec

from gateway.errors import GatewayError, WireError
from gateway.network.name_look_up import Connector
from gateway.network.single_try import single_try
from gateway.phone.requests import HttpRequest, Requests, Result, Steps, in_order

P = ParamSpec("P")

WHOLE_LIMIT_S = 5.0
"""The limit of a command with all its requests and tries: its caller hears nothing meanwhile."""
TIMEOUT_S = 2.5
"""The limit of one try of a request that may be tried again."""
CONNECT_TIMEOUT_S = 1.5
KEEP_ALIVE_S = 4.0
"""Shorter than common servers keep a connection: a request on one that is being closed may not be repeated."""
TRIES = 3
BACKOFF_S = 0.25
ANSWER_LIMIT = 1024 * 1024
NOT_DONE = frozenset({429, 503})
"""Statuses that say that the request was not carried out."""
PERHAPS_DONE = frozenset({502, 504})
"""Statuses of a proxy in between, which may have passed the request on."""

EXCERPT = 500
"""Bytes of an answer that are kept as the reason."""
_CODE = re.compile(
    r'(?:"(?:\w{0,20}code|type|error)"\s{0,4}:\s{0,4}|<\w{0,20}code>)'
    r'(?:"?(\d{1,6})(?=["\s,}<])|"?([A-Za-z][\w.-]{0,39})(?=["<]))',
    re.IGNORECASE,
)
"""The provider's own code of an error, in JSON or XML: a word or a short number, never a sentence or a phone number."""


class _Failure(msgspec.Struct, frozen=True):
    """A try that failed: whether to try again, and the wait before it that the provider asks for."""

    message: str
    again: bool = False
    wait_s: float = 0.0
    answer: str = ""
    refused: bool = False
    status: int = 0


class CallControlError(GatewayError):
    """The provider did not do what was asked of it; the message is one line.

    ``answer`` is the beginning of its answer, which may name people and their numbers: for private fields of the log
    and for whoever typed the command. ``refused``: the provider said no; else it may have done it.
    ``status`` is that of its answer, 0 without one.
    """

    def __init__(self, message: str, answer: str = "", *, refused: bool = False, status: int = 0) -> None:
        super().__init__(message)
        self.answer = answer
        self.refused = refused
        self.status = status


class Exchanged(msgspec.Struct, frozen=True):
    """One try of a request, as it was sent, and its answer. ``status`` is 0 where none came."""

    request: HttpRequest
    took_s: float
    status: int = 0
    answer_headers: Mapping[str, str] = {}
    body: bytes = b""
    failure: str = ""


class CallControl:
    """One HTTP client for the process. Use as an async context manager; ``exchanged`` is told of every try."""

    def __init__(self, exchanged: Callable[[Exchanged], None] | None = None) -> None:
        self._exchanged = exchanged
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "CallControl":
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S)
        connector = Connector(keepalive_timeout=KEEP_ALIVE_S)
        self._http = aiohttp.ClientSession(connector=connector, timeout=timeout, trace_configs=[single_try()])
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def perform(self, requests: Requests) -> None:
        """Make the requests in order. Raises ``CallControlError`` at the first failure."""
        if isinstance(requests, Generator):
            await self.follow(requests)
        else:
            await self.follow(in_order(requests))

    async def fetch(self, request: HttpRequest) -> bytes:
        """Make one request; return its answer's body. Raises ``CallControlError``."""
        return await self.follow(in_order([request]))

    async def follow(self, steps: Steps[Result], limit_s: float = WHOLE_LIMIT_S) -> Result:
        """Make the requests of steps, each with the answer to the one before; return the result of the steps.

        All of it takes ``limit_s`` at most, further tries included. Raises ``CallControlError``, which names the
        request that failed or whose answer the steps cannot use.
        """
        until = asyncio.get_running_loop().time() + limit_s
        last: HttpRequest | None = None
        try:
            request = next(steps)
            while True:
                last = request
                request = steps.send(await self._perform(request, until))
        except StopIteration as end:
            result: Result = end.value
            return result
        except WireError as error:
            raise CallControlError(f"{_where(last)}: {error}" if last else str(error)) from None
        except ValueError as error:  # such as a call id with bytes that are no text
            raise _unwritten(error) from None
        finally:
            steps.close()

    async def _perform(self, request: HttpRequest, until: float) -> bytes:
        """Make one request, and repeat it where that is safe: 502 from a proxy and silence leave the outcome open."""
        loop = asyncio.get_running_loop()
        attempt = 1
        while True:
            left_s = until - loop.time()
            limit_s = min(left_s, TIMEOUT_S) if request.repeatable and attempt < TRIES else left_s
            outcome = await self._try(request, max(limit_s, 0.0))
            if isinstance(outcome, bytes):
                return outcome
            if not outcome.again or attempt == TRIES:
                raise _failed(outcome)
            wait_s = max(BACKOFF_S * 2**attempt, outcome.wait_s)
            if loop.time() + wait_s >= until:
                asked = f"; it asks to wait for {outcome.wait_s:.0f} s, which is too long" if outcome.wait_s else ""
                raise _failed(outcome, asked)
            await sleep(wait_s)
            attempt += 1

    async def _try(self, request: HttpRequest, limit_s: float) -> bytes | _Failure:
        if self._http is None:
            raise RuntimeError("CallControl is used outside its context")
        where = _where(request)
        begun = time.monotonic()
        body = bytearray()
        answer = None
        failure = _Failure("")
        try:
            async with (
                asyncio.timeout(limit_s),
                self._http.request(
                    request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
                ) as answer,
            ):
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > ANSWER_LIMIT:
                        answer.close()
                        failure = _Failure(f"{where} was answered with more than {ANSWER_LIMIT} bytes")
                        break
        except aiohttp.ClientSSLError as error:
            failure = _Failure(f"{where} failed: {error}")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            failure = _Failure(f"{where} failed: {error}", again=True)  # nothing was sent
        except TimeoutError:
            failure = _Failure(f"{where} was not answered within {limit_s:.1f} s", request.repeatable)
        except ValueError as error:  # an address, a name in it or a header that HTTP does not allow
            failure = _Failure(f"{where} cannot be sent: {_complaint(error)}")
        except (aiohttp.ClientError, OSError) as error:
            failure = _Failure(f"{where} failed: {str(error) or type(error).__name__}", request.repeatable)
        if self._exchanged is not None:
            took_s = time.monotonic() - begun
            status, answered = (answer.status, dict(answer.headers)) if answer is not None else (0, {})
            self._exchanged(Exchanged(request, took_s, status, answered, bytes(body), failure.message))
        if answer is None:
            return failure
        outcome = _outcome(request, answer, bytes(body))
        is_whole = not (failure.again or (failure.message and request.method == "GET"))
        return failure if isinstance(outcome, bytes) and not is_whole else outcome


def _outcome(request: HttpRequest, answer: aiohttp.ClientResponse, body: bytes) -> bytes | _Failure:
    """Return an answer's body or a failure. The status of a command is enough, even where the rest was lost."""
    status = answer.status
    if status < 300 or status in request.gone:
        return body
    excerpt = " ".join(body[:EXCERPT].decode("utf-8", "replace").split())
    again = status in NOT_DONE or (request.repeatable and status in PERHAPS_DONE)
    wait_s = retry_after_s(answer.headers.get("Retry-After", ""), time.time())
    codes = ", ".join(dict.fromkeys(code[1] or code[2] for code in _CODE.finditer(excerpt)))
    message = f"{_where(request)} was answered with {status}"
    is_refusal = status not in PERHAPS_DONE
    return _Failure(f"{message} ({codes})" if codes else message, again, wait_s, excerpt, is_refusal, status)


def _failed(failure: _Failure, asked: str = "") -> CallControlError:
    """Return the error of a try that failed; ``asked`` is added to its message."""
    return CallControlError(f"{failure.message}{asked}", failure.answer, refused=failure.refused, status=failure.status)


def retry_after_s(retry_after: str, now_s: float) -> float:
    """Return the seconds of a ``Retry-After`` header, a number or a date (RFC 9110 §10.2.3); 0 without one."""
    try:
        wait_s = float(retry_after)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(retry_after).timestamp() - now_s
        except (ValueError, OverflowError):
            return 0.0
    return max(0.0, wait_s) if not math.isnan(wait_s) else 0.0


def described(describe: Callable[P, Requests], *args: P.args, **kwargs: P.kwargs) -> Requests:
    """Return the requests that a provider describes. Raises ``CallControlError`` where they cannot be written."""
    try:
        return describe(*args, **kwargs)
    except ValueError as error:  # such as a call id with bytes that are no text
        raise _unwritten(error) from None


def _unwritten(error: ValueError) -> CallControlError:
    return CallControlError(f"the request cannot be made: {type(error).__name__}")


def _complaint(error: ValueError) -> str:
    """Return the fault of a request; a header's value, which may be a secret, is not shown."""
    if isinstance(error, aiohttp.InvalidURL):
        return "its address is not one"
    return "a header has characters that HTTP does not allow" if "header" in str(error) else str(error)


def _where(request: HttpRequest) -> str:
    return f"{request.method} {request.url.partition('?')[0]}"
