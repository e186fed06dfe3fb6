"""Opens connections by the SDK's private connection manager, with the gateway's own connection pool and socket."""

import aiohttp
from azure.ai.voicelive.aio._patch import _USER_AGENT, _VoiceLiveConnectionManager

from gateway.connecting import asked as terms
from gateway.connecting.asked import Asked, voice_agent_url
from gateway.sockets.message_socket import MessageSocket
from gateway.sockets.upgrade import connect


class Handshake(_VoiceLiveConnectionManager):
    """The SDK's connection manager with its connection taken over.

    ``connect()`` of SDK 1.3.1 has no time limit, and where it is cancelled it leaves its ``ClientSession`` open; it
    also makes a new one for every call, so no call can use a name that was resolved before. The URL, the query and the
    authentication stay the SDK's.
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__(
            credential=asked.credential,
            endpoint=asked.endpoint,
            api_version=asked.api_version,
            model=asked.model,
            agent_config=asked.agent,
            extra_query=asked.query,
            extra_headers={},
        )
        self._named = asked.headers

    async def headers(self) -> dict[str, str]:
        """Return the headers of the handshake, with the credential. Raises ``AzureError`` where there is no token."""
        return {**await self._get_auth_headers(), **self._named, "User-Agent": _USER_AGENT}

    def url(self) -> str:
        """Return the address that the SDK prepares."""
        return str(self._prepare_url())


async def open_socket(http: aiohttp.ClientSession, asked: Asked) -> MessageSocket:
    """Open a connection; see ``Open``."""
    handshake = Handshake(asked)
    headers, url = await handshake.headers(), handshake.url()
    if asked.agent is not None and asked.is_voice_agent:
        url, headers = voice_agent_url(url, asked.agent), headers | terms.VOICE_AGENT_HEADERS
    return await connect(
        http,
        url,
        headers,
        max_message=terms.MAX_MESSAGE,
        close_timeout_s=terms.CLOSE_TIMEOUT_S,
        heartbeat_s=terms.HEARTBEAT_S,
    )
