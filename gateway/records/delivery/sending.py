"""Sends one message to a receiver: a signed POST, whose answer is bounded in time and size."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

import aiohttp
from msgspec import Struct

from gateway.config.records.deliver import Receiver
from gateway.config.secrets import values_of
from gateway.network.name_look_up import Connector
from gateway.records.delivery.signature import signed_headers
from gateway.rest import retry_after_s

KEEP_ALIVE_S = 4.0
"""The life of an idle connection: shorter than at common servers, so that none is used that they are closing."""
ANSWER_LIMIT = 16 * 1024
"""Bytes of an answer that are read, so that the connection can be used again; a longer one is cut off."""
CONNECTIONS = 64
GONE = 410

Kind = Literal["delivered", "failed", "gone"]


class Outcome(Struct, frozen=True):
    """The result of one try."""

    kind: Kind
    detail: str
    """One sentence, without anything of the answer's body."""
    retry_after_s: float = 0.0
    """The wait that the receiver asks for; 0 if it asks for none."""


class Sender:
    """One HTTP client for all deliveries. Use as an async context manager; ``wall_clock`` gives seconds of UTC."""

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self._now = wall_clock
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Sender":
        self._http = aiohttp.ClientSession(
            connector=Connector(limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers={"User-Agent": "voice-line-gateway", "Content-Type": "application/json"},
            trust_env=False,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def send(self, receiver: Receiver, message_id: str, body: bytes) -> Outcome:
        """Make one POST. Redirects are not followed: they would take the caller's words to an unknown server."""
        if self._http is None:
            raise RuntimeError("Sender is used outside its context")
        headers = signed_headers(values_of(receiver.secret), message_id, int(self._now()), body)
        outcome, detail = None, ""
        try:
            async with (
                asyncio.timeout(receiver.timeout_s),
                self._http.post(receiver.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                outcome = self._judged(answer)
                await _read(answer)
        except TimeoutError:
            detail = f"not answered within {receiver.timeout_s:g} s"
        except aiohttp.ClientSSLError:
            detail = "TLS failed"
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            detail = "no connection"
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a host's name that is not valid
            detail = f"no whole answer: {type(error).__name__}"
        return outcome or Outcome("failed", detail)  # the status counts, even where the rest of the answer is lost

    def _judged(self, answer: aiohttp.ClientResponse) -> Outcome:
        detail = f"answered with {answer.status}"
        if 200 <= answer.status < 300:
            return Outcome("delivered", detail)
        if answer.status == GONE:
            return Outcome("gone", detail)
        return Outcome("failed", detail, retry_after_s(answer.headers.get("Retry-After", ""), self._now()))


async def _read(answer: aiohttp.ClientResponse) -> None:
    """Read an answer up to its limit; what is longer is dropped with its connection."""
    size = 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > ANSWER_LIMIT:
            answer.close()
            return
