"""Opens connections by the SDK's ``connect()``: public names alone, and with them what the SDK does not offer.

Each connection has an HTTP session of its own: no name that was resolved before is used. A refusal comes without the
body of its answer.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import aiohttp
from azure.ai.voicelive import aio as sdk
from azure.core.credentials import AzureKeyCredential

from gateway.connecting import asked as terms
from gateway.connecting.asked import Asked, voice_agent_url
from gateway.connecting.sdk_wire import SdkWire
from gateway.sockets.message_socket import MessageSocket
from gateway.sockets.public_socket import PublicSocket
from gateway.sockets.public_upgrade import connect, refused


async def open_socket(http: aiohttp.ClientSession, asked: Asked) -> MessageSocket:
    """Open a connection; see ``Open``."""
    if asked.agent is not None and asked.is_voice_agent:
        return await _open_voice_agent(http, asked, asked.agent)
    options: sdk.WebsocketConnectionOptions = {
        "max_msg_size": terms.MAX_MESSAGE,
        "heartbeat": terms.HEARTBEAT_S,
        "close_timeout": terms.CLOSE_TIMEOUT_S,
        "compression": False,
    }
    agent: dict[str, Any] = {name: value for name, value in (asked.agent or {}).items() if value}
    context = sdk.connect(
        credential=asked.credential,
        endpoint=asked.endpoint,
        api_version=asked.api_version,
        model=asked.model,
        query=asked.query,
        headers=asked.headers,
        connection_options=options,
        **agent,
    )
    try:
        connection = await context.__aenter__()  # the socket leaves it
    except sdk.ConnectionError as error:
        await _close_sessions(error.__traceback__)
        cause = error.__cause__
        raise refused(cause) if isinstance(cause, aiohttp.WSServerHandshakeError) else cause or error from None
    except BaseException as error:
        await _close_sessions(error.__traceback__)
        raise
    return PublicSocket(SdkWire(connection), close_timeout_s=terms.CLOSE_TIMEOUT_S)


async def _open_voice_agent(http: aiohttp.ClientSession, asked: Asked, agent: Mapping[str, str]) -> MessageSocket:
    """Open a connection to an agent of kind voice, whose route the SDK does not know."""
    if isinstance(asked.credential, AzureKeyCredential):
        raise TypeError("an agent is reached by a token, and never by a key")
    token = await asked.credential.get_token()
    headers = {"Authorization": f"Bearer {token.token}", **asked.headers, **terms.VOICE_AGENT_HEADERS}
    url = voice_agent_url(asked.endpoint.replace("http", "ws", 1), agent)
    return await connect(
        http,
        url,
        headers,
        max_message=terms.MAX_MESSAGE,
        close_timeout_s=terms.CLOSE_TIMEOUT_S,
        heartbeat_s=terms.HEARTBEAT_S,
    )


async def _close_sessions(traceback: TracebackType | None) -> None:
    """Close the HTTP session that ``connect()`` leaves open where it is cancelled, or the address is malformed."""
    while traceback is not None:
        for value in tuple(traceback.tb_frame.f_locals.values()):
            if isinstance(value, aiohttp.ClientSession):
                await value.close()
        traceback = traceback.tb_next
