"""The process's way to Voice Live: one credential, one connection pool, a bounded handshake."""

import asyncio
import importlib
from collections.abc import Mapping

import aiohttp
from azure.ai.voicelive.aio._patch import _USER_AGENT, _VoiceLiveConnectionManager
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError

from gateway.errors import GatewayError
from gateway.network.name_look_up import Connector
from gateway.upgrade import connect
from gateway.voice.bot import Agent, Answering, Model
from gateway.websocket import WebSocket

HEARTBEAT_S = 15.0
"""Ping interval; a service that leaves a ping unanswered for half of it is lost."""
MAX_MESSAGE = 4 * 1024 * 1024
CLOSE_TIMEOUT_S = 1.0


class VoiceRefusedError(GatewayError):
    """The service answered, and refused the connection: with ``status``, 0 for another answer than by HTTP."""

    def __init__(self, told: str, status: int = 0) -> None:
        super().__init__(told)
        self.status = status


class VoiceUnreachableError(GatewayError):
    """The service did not answer, answered with a ``status`` of its own trouble, or could not be connected to."""

    def __init__(self, told: str, status: int = 0) -> None:
        super().__init__(told)
        self.status = status


class _Handshake(_VoiceLiveConnectionManager):
    """The SDK's connection manager with its connection taken over.

    ``connect()`` of SDK 1.3.1 has no time limit, and where it is cancelled it leaves its ``ClientSession`` open; it
    also makes a new one for every call, so no call can use a name that was resolved before. The URL, the query and the
    authentication stay the SDK's.
    """

    async def open(self, http: aiohttp.ClientSession) -> WebSocket:
        headers = {**await self._get_auth_headers(), "User-Agent": _USER_AGENT}
        return await connect(
            http,
            self._prepare_url(),
            headers,
            max_message=MAX_MESSAGE,
            close_timeout_s=CLOSE_TIMEOUT_S,
            heartbeat_s=HEARTBEAT_S,
        )


class VoiceLive:
    """Opens sessions at one endpoint. Use as an async context manager, one for the process.

    ``api_key`` empty means Microsoft Entra ID through ``DefaultAzureCredential``, which honours
    ``AZURE_TOKEN_CREDENTIALS`` and caches its token for all calls. Agents take no key: for them it is always Entra.
    ``identity`` replaces ``DefaultAzureCredential``, and is closed at the end.
    """

    scope = "https://ai.azure.com/.default"
    """The scope of its tokens, which is the SDK's own."""

    def __init__(
        self,
        endpoint: str,
        api_key: str = "",
        *,
        api_version: str = "2026-07-15",
        connect_timeout_s: float = 10.0,
        identity: AsyncTokenCredential | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._api_key = api_key
        self._api_version = api_version
        self._connect_timeout_s = connect_timeout_s
        self._identity = identity
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "VoiceLive":
        if not self._api_key:
            await self._entra()
        self._http = aiohttp.ClientSession(connector=Connector(limit=0, force_close=True))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._http is not None:
            await self._http.close()
        if self._identity is not None:
            await self._identity.close()

    async def connect(self, answering: Answering, query: Mapping[str, str] | None = None) -> WebSocket:
        """Return a connected socket, before the first message in either direction.

        Raises ``VoiceRefusedError`` (credentials, role, quota, redirect) or ``VoiceUnreachableError`` (no connection,
        no answer within the connect time-out).
        """
        if self._http is None:
            raise RuntimeError("VoiceLive is used outside its context")
        handshake = _Handshake(
            credential=await self._credential_for(answering),
            endpoint=self.endpoint,
            api_version=self._api_version,
            model=answering.name if isinstance(answering, Model) else None,
            agent_config=_agent_config(answering) if isinstance(answering, Agent) else None,
            extra_query=query or {},
            extra_headers={},
        )
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                return await handshake.open(self._http)
        except TimeoutError:
            raise VoiceUnreachableError(
                f"Voice Live at {self.endpoint} did not answer within {self._connect_timeout_s:g} s"
            ) from None
        except aiohttp.WSServerHandshakeError as error:
            raise _refused(self.endpoint, error.status) from None
        except ClientAuthenticationError as error:
            raise VoiceRefusedError(f"no Microsoft Entra token for Voice Live: {_first_line(error)}") from None
        except AzureError as error:
            raise VoiceUnreachableError(f"no Microsoft Entra token for Voice Live: {_first_line(error)}") from None
        except ValueError as error:  # the host is no name, or the key is not fit for a header; its text is not shown
            raise VoiceRefusedError(
                f"Voice Live at {self.endpoint} cannot be asked: the endpoint or the API key is malformed "
                f"({type(error).__name__})"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise VoiceUnreachableError(f"Voice Live at {self.endpoint} cannot be reached: {error}") from None

    async def token(self) -> AccessToken:
        """Return the Microsoft Entra token that sessions are opened with.

        Raises ``AzureError`` where there is none, ``VoiceRefusedError`` where there is no identity.
        """
        return await (await self._entra()).get_token(self.scope)

    async def _credential_for(self, answering: Answering) -> AzureKeyCredential | AsyncTokenCredential:
        if self._api_key and isinstance(answering, Model):
            return AzureKeyCredential(self._api_key)
        return await self._entra()

    async def _entra(self) -> AsyncTokenCredential:
        """Return the process's identity, made when it is first needed."""
        if self._identity is None:
            # 0.5 s of import: a key does not need it, and calls in progress must not wait for it
            library = await asyncio.to_thread(importlib.import_module, "azure.identity.aio")
            if self._identity is None:
                try:
                    self._identity = library.DefaultAzureCredential()
                except ValueError as error:  # AZURE_TOKEN_CREDENTIALS names no credential that exists
                    raise VoiceRefusedError(f"no Microsoft Entra identity: {_first_line(error)}") from None
        return self._identity


def _agent_config(agent: Agent) -> dict[str, str]:
    """Return the agent as the SDK's connection manager takes it; empty values are left out."""
    return {
        "agent_name": agent.name,
        "project_name": agent.project,
        "agent_version": agent.version,
        "conversation_id": agent.conversation_id,
        "authentication_identity_client_id": agent.identity_client_id,
        "foundry_resource_override": agent.foundry_resource_override,
    }


_ADVICE: dict[int, str] = {
    401: "the API key or token is wrong for this resource",
    403: "the identity lacks the roles Cognitive Services User and Foundry User",
    404: "the endpoint has no Voice Live, or the region lacks the model",
    429: "the resource's quota of new connections is used up",
}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _refused(endpoint: str, status: int) -> GatewayError:
    advice = _ADVICE.get(status)
    message = f"Voice Live at {endpoint} answered the connection with {status}" + (f": {advice}" if advice else "")
    return VoiceUnreachableError(message, status) if status >= 500 else VoiceRefusedError(message, status)
