"""Describes a connection to Voice Live, whichever way opens it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import aiohttp
from azure.core.credentials import AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential

from gateway.sockets.message_socket import MessageSocket

HEARTBEAT_S = 9.0
"""Silence after which the service is pinged; one that leaves a ping unanswered for half of it is lost, after 13.5 s."""
MAX_MESSAGE = 4 * 1024 * 1024
CLOSE_TIMEOUT_S = 1.0
VOICE_AGENT_VERSION = "2025-11-15-preview"
"""The API version of the route of agents of kind voice."""
VOICE_AGENT_HEADERS = {"Foundry-Features": "VoiceAgents=V1Preview"}
ROUTE = "/voice-live/realtime"


@dataclass(frozen=True)
class Asked:
    """One connection: where, as whom, and for which bot, a model or an agent."""

    endpoint: str
    api_version: str
    credential: AzureKeyCredential | AsyncTokenCredential
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    agent: Mapping[str, str] | None = None
    """The agent as the SDK's ``connect()`` takes it; empty values are left out."""
    is_voice_agent: bool = False
    """``True`` for an agent of kind voice, which has a route of its own."""


Open = Callable[[aiohttp.ClientSession, Asked], Awaitable[MessageSocket]]
"""Opens a connection. The caller limits the time, and may cancel it.

Raises ``aiohttp.WSServerHandshakeError`` where it is refused, else ``aiohttp.ClientError``, ``OSError``, ``ValueError``
where endpoint or key are malformed, ``AzureError`` where there is no token.
"""


def voice_agent_url(url: str, agent: Mapping[str, str]) -> str:
    """Return the address of an agent of kind voice, on the host of ``url``."""
    parts = urlsplit(url)
    root = parts.path.rstrip("/").removesuffix(ROUTE)
    project, name = (quote(agent[key], safe="") for key in ("project_name", "agent_name"))
    path = f"{root}/api/projects/{project}/agents/{name}/endpoint/protocols/voice"
    query = {"api-version": VOICE_AGENT_VERSION}
    if agent.get("agent_version"):
        query["agent-version"] = agent["agent_version"]
    if agent.get("conversation_id"):
        query["conversation-id"] = agent["conversation_id"]
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))
