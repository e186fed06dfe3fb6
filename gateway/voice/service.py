"""The process's way to Voice Live: one credential, one connection pool, a bounded handshake."""

import asyncio
import errno
import importlib
import os
from collections.abc import Mapping, Sequence
from typing import Literal

import aiohttp
import structlog
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError

from gateway.connecting import choice
from gateway.connecting.asked import Asked
from gateway.errors import GatewayError
from gateway.network.name_look_up import Connector
from gateway.sockets.choice import Way
from gateway.sockets.public_upgrade import refusing_redirects
from gateway.sockets.socket import Socket
from gateway.voice.bot import Agent, Answering, Model
from gateway.voice.identity import AHEAD_S, Identity, authority_for, first_line, scope_for
from gateway.voice.negotiation.memory import Memory
from gateway.voice.negotiation.watch import Unwatched, Watch
from gateway.voice.service_words import advice_for, request_id_in, said_in

TOKEN_RETRY_S = 15.0
"""The time until a token that could not be fetched in the background is asked for again."""
LOOK_AGAIN_S = 3600.0
"""The longest sleep between two looks at the clock, which may be set meanwhile."""
REQUEST_ID_LIMIT = 200
"""Characters of a call's id up to which it is sent as the request's id."""


log = structlog.get_logger()

Negotiate = Literal["on", "log", "off"]


class VoiceConnectionError(GatewayError):
    """No connection; ``status`` is the HTTP status of the answer, 0 without one."""

    def __init__(self, message: str, *, status: int = 0, passes: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        """The time after which the service takes requests again, as its Retry-After says; 0 where it says none."""
        self.passes = passes
        """``True`` if the same connection may succeed a moment later: a quota, the service's own trouble, a reset."""


class VoiceRefusedError(VoiceConnectionError):
    """The service answered, and refused the connection."""


class VoiceUnreachableError(VoiceConnectionError):
    """The service did not answer, or could not be connected to."""


class VoiceLive:
    """Opens sessions at one endpoint. Use as an async context manager, one for the process.

    ``api_key`` empty means Microsoft Entra ID through ``DefaultAzureCredential``, which honours
    ``AZURE_TOKEN_CREDENTIALS`` and caches its token for all calls. Agents take no key: for them it is always Entra.
    ``identity`` replaces ``DefaultAzureCredential``, and is closed at the end. Without a key its first token is fetched
    at the start, and kept fresh. ``scope`` is that of its tokens, empty for that of the endpoint's cloud. ``client_id``
    names a managed identity, where the machine has several. ``sockets`` is the way in which connections are opened.
    """

    def __init__(
        self,
        endpoint: str,
        api_key: str = "",
        *,
        api_version: str = "2026-07-15",
        connect_timeout_s: float = 10.0,
        identity: AsyncTokenCredential | None = None,
        scope: str = "",
        client_id: str = "",
        negotiate: Negotiate = "on",
        watch: Watch | None = None,
        sockets: Way = "fast",
    ) -> None:
        self.way, self._open = choice.opener(sockets)
        """The way in which connections are opened; ``public`` too where ``fast`` is not possible."""
        self.endpoint = endpoint
        self.api_version = api_version
        self.negotiate: Negotiate = negotiate
        """``on`` if a refused session is asked for again without what was refused."""
        self.watch = watch or Unwatched()
        self.memory = Memory()
        """The refusals so far."""
        self._api_key = api_key
        self._client_id = client_id
        self.connect_timeout_s = connect_timeout_s
        self.scope = scope_for(endpoint, scope)
        """The scope of its Microsoft Entra tokens."""
        self._identity = Identity(identity, self.scope, asyncio.Lock()) if identity is not None else None
        self._http: aiohttp.ClientSession | None = None
        self._group = asyncio.TaskGroup()
        self._refreshing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "VoiceLive":
        identity = None if self._api_key else await self._entra()
        await self._group.__aenter__()
        if identity is not None:
            self._refreshing = self._group.create_task(_keep_fresh(identity))
        self._http = aiohttp.ClientSession(
            connector=Connector(limit=0, force_close=True),
            trace_configs=[refusing_redirects()] if self.way == "public" else None,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
        await self._group.__aexit__(None, None, None)
        if self._http is not None:
            await self._http.close()
        if self._identity is not None:
            await self._identity.close()

    @property
    def has_key(self) -> bool:
        """``True`` if models are reached with an API key."""
        return bool(self._api_key)

    def expires_at(self, answering: Answering) -> float:
        """Return the Unix time at which the token of this session's connection expires; 0 where a key was used."""
        if self._identity is None or (self._api_key and isinstance(answering, Model)):
            return 0.0
        return self._identity.expires_at

    def shown_reductions(self) -> Sequence[Mapping[str, object]]:
        """Return what is left out of sessions at present, ready for JSON."""
        shown = self.memory.shown(asyncio.get_running_loop().time())
        return [
            {"answering": one.answering, "left_out": list(one.left_out), "passed_over": one.failed} for one in shown
        ]

    async def connect(
        self,
        answering: Answering,
        query: Mapping[str, str] | None = None,
        *,
        limit_s: float | None = None,
        call_id: str = "",
    ) -> Socket:
        """Return a connected socket, before the first message in either direction; within ``limit_s``, if that is less.

        ``call_id`` becomes the request's ``x-ms-client-request-id``, by which Azure's support finds it.

        Raises ``VoiceRefusedError`` (credentials, role, quota, redirect) or ``VoiceUnreachableError`` (no connection,
        no answer within the connect time-out).
        """
        if self._http is None:
            raise RuntimeError("VoiceLive is used outside its context")
        limit_s = min(self.connect_timeout_s, limit_s or self.connect_timeout_s)
        asked = Asked(
            self.endpoint,
            self.api_version,
            await self._credential_for(answering),
            query or {},
            _request_id(call_id),
            model=answering.name if isinstance(answering, Model) else None,
            agent=_agent_config(answering) if isinstance(answering, Agent) else None,
            is_voice_agent=isinstance(answering, Agent) and answering.kind == "voice",
        )
        try:
            async with asyncio.timeout(limit_s):
                return await self._open(self._http, asked)
        except TimeoutError:
            raise VoiceUnreachableError(
                f"Voice Live at {self.endpoint} did not answer within {limit_s:.3g} s"
            ) from None
        except aiohttp.WSServerHandshakeError as error:
            raise _refused(self.endpoint, answering, error) from None
        except ClientAuthenticationError as error:
            raise VoiceRefusedError(f"no Microsoft Entra token for Voice Live: {first_line(error)}") from None
        except AzureError as error:
            raise VoiceUnreachableError(f"no Microsoft Entra token for Voice Live: {first_line(error)}") from None
        except ValueError as error:  # the host is no name, or the key is not fit for a header; its text is not shown
            raise VoiceRefusedError(
                f"Voice Live at {self.endpoint} cannot be asked: the endpoint or the API key is malformed "
                f"({type(error).__name__})"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise VoiceUnreachableError(
                f"Voice Live at {self.endpoint} cannot be reached: {error}", passes=_is_reset(error)
            ) from None

    async def token(self) -> AccessToken:
        """Return the Microsoft Entra token that sessions are opened with.

        Raises ``AzureError`` where there is none, ``VoiceRefusedError`` where there is no identity.
        """
        return await (await self._entra()).get_token(self.scope)

    async def _credential_for(self, answering: Answering) -> AzureKeyCredential | AsyncTokenCredential:
        if self._api_key and isinstance(answering, Model):
            return AzureKeyCredential(self._api_key)
        return await self._entra()

    async def _entra(self) -> Identity:
        """Return the process's identity, made when it is first needed."""
        if self._identity is None:
            # 0.5 s of import: a key does not need it, and calls in progress must not wait for it
            library = await asyncio.to_thread(importlib.import_module, "azure.identity.aio")
            if self._identity is None:
                try:
                    options = {"managed_identity_client_id": self._client_id} if self._client_id else {}
                    if (authority := authority_for(self.endpoint)) and "AZURE_AUTHORITY_HOST" not in os.environ:
                        options["authority"] = authority
                    credential = library.DefaultAzureCredential(**options)
                    self._identity = Identity(credential, self.scope, asyncio.Lock())
                except ValueError as error:  # AZURE_TOKEN_CREDENTIALS names no credential that exists
                    raise VoiceRefusedError(f"no Microsoft Entra identity: {first_line(error)}") from None
        return self._identity


async def _keep_fresh(identity: Identity) -> None:
    """Fetch the token now, and anew before it expires, until cancelled. A failure is logged and tried again."""
    is_failing = False
    while True:
        try:
            await identity.fetch()
        except (AzureError, aiohttp.ClientError, OSError, ValueError) as error:
            if not is_failing:  # the calls that go on failing say so themselves
                log.warning("identity_unavailable", detail=first_line(error))
            is_failing = True
            await asyncio.sleep(TOKEN_RETRY_S)
        else:
            is_failing = False
            await asyncio.sleep(min(LOOK_AGAIN_S, max(TOKEN_RETRY_S, identity.left_s - AHEAD_S)))


def _request_id(call_id: str) -> dict[str, str]:
    """Return the header that names the call to the service; none for an id that is not fit for a header."""
    is_fit = call_id.isascii() and call_id.isprintable() and len(call_id) <= REQUEST_ID_LIMIT
    return {"x-ms-client-request-id": call_id} if call_id and is_fit else {}


def _agent_config(agent: Agent) -> dict[str, str]:
    """Return the agent as the SDK takes it; empty values are left out."""
    return {
        "agent_name": agent.name,
        "project_name": agent.project,
        "agent_version": agent.version,
        "conversation_id": agent.conversation_id,
        "authentication_identity_client_id": agent.identity_client_id,
        "foundry_resource_override": agent.foundry_resource_override,
    }


def _is_reset(error: Exception) -> bool:
    """Return ``True`` if the connection was made, and broke before the answer."""
    return isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | BrokenPipeError) or (
        isinstance(error, aiohttp.ClientOSError) and error.errno in (errno.ECONNRESET, errno.EPIPE)
    )


def _refused(endpoint: str, answering: Answering, error: aiohttp.WSServerHandshakeError) -> GatewayError:
    """Return a refused handshake: its status, what it usually means, the service's own words and its request's id."""
    status = error.status
    message = f"Voice Live at {endpoint} answered the connection with {status}"
    said = said_in(error.message)
    details = (advice_for(status, endpoint, answering, said), said)
    message += "".join(f": {detail}" for detail in details if detail)
    if request_id := request_id_in(error.headers or {}):
        message += f" (request {request_id})"
    kind = VoiceUnreachableError if status >= 500 else VoiceRefusedError
    return kind(
        message, status=status, passes=status == 429 or status >= 500, retry_after_s=_retry_after(error.headers or {})
    )


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds of a Retry-After (RFC 9110 §10.2.3); 0 without one, and for a date."""
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0.0
