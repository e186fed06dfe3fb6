"""Makes the HTTP requests that carry functions out."""

import asyncio

import aiohttp
from yarl import URL

from gateway.network.name_look_up import Connector
from gateway.network.single_try import single_try
from gateway.tools.answer import Answer
from gateway.tools.request import Request
from gateway.tools.result import OUTPUT_LIMIT, FunctionFailed

AGAIN_AFTER_S = 0.25
"""The pause between the two tries to connect, in which a service that restarts comes back."""
KEEP_ALIVE_S = 4.0
"""The life of an idle connection: shorter than at common servers, so that none is used that they are closing."""


def open_session(connections: int) -> aiohttp.ClientSession:
    """Return the process's one session: a limit of connections, no cookies, no proxy from the environment."""
    return aiohttp.ClientSession(
        connector=Connector(limit=connections, keepalive_timeout=KEEP_ALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        headers={"User-Agent": "voice-line-gateway", "Accept-Encoding": "identity"},
        trust_env=False,
        trace_configs=[single_try()],
    )


async def perform(http: aiohttp.ClientSession, request: Request) -> Answer:
    """Return the answer to ``request``. A connection that fails is tried once more. The caller limits the time.

    Raises FunctionFailed where there is no answer, or one that is longer than ``OUTPUT_LIMIT``.
    """
    try:
        try:
            return await _perform(http, request)
        except aiohttp.ClientSSLError:
            raise
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(AGAIN_AFTER_S)
            return await _perform(http, request)
    except aiohttp.ClientSSLError as error:
        raise FunctionFailed("the service cannot be reached securely", f"TLS failed: {error.strerror}") from None
    except aiohttp.ClientConnectorError as error:
        raise FunctionFailed("the service cannot be reached", f"no connection: {error.strerror}") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a host's name or a header is not valid
        raise FunctionFailed("the service failed", f"no whole answer: {type(error).__name__}") from None


async def _perform(http: aiohttp.ClientSession, request: Request) -> Answer:
    async with http.request(
        request.method,
        URL(request.url, encoded=True),
        headers=request.headers,
        data=request.body or None,
        allow_redirects=False,
    ) as answer:
        is_read = 200 <= answer.status < 300 or 400 <= answer.status < 500
        body = await _body(answer) if is_read else b""
        return Answer(answer.status, answer.content_type, answer.charset or "", body)


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > OUTPUT_LIMIT:
            answer.close()  # drops the connection, so that the rest is never read
            raise FunctionFailed("the answer is too long", f"the answer has more than {OUTPUT_LIMIT} bytes")
    return bytes(body)
