"""No SDK: a WebSocket and JSON, as any language has them."""

import json
from urllib.parse import urlencode

import aiohttp
from azure.core.credentials import AzureKeyCredential
from common import credential, run

API_VERSION = "2026-07-15"


async def main(endpoint: str, model: str) -> None:
    """Ask one question in text."""
    known = credential(endpoint)
    if not isinstance(known, AzureKeyCredential):
        raise SystemExit("set AZURE_VOICELIVE_API_KEY: this program sends it as the header api-key")
    query = urlencode({"api-version": API_VERSION, "model": model})
    url = f"{endpoint.replace('http', 'ws', 1)}/voice-live/realtime?{query}"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, headers={"api-key": known.key}, max_msg_size=0) as socket,
    ):
        session = {"modalities": ["text"], "instructions": "Be brief."}
        await socket.send_json({"type": "session.update", "session": session})
        question = {"type": "input_text", "text": "Where is my order?"}
        item = {"type": "message", "role": "user", "content": [question]}
        await socket.send_json({"type": "conversation.item.create", "item": item})
        await socket.send_json({"type": "response.create"})
        async for message in socket:
            event = json.loads(message.data)
            if event["type"] == "error":
                raise SystemExit(f"the service reported an error: {event['error']['message']}")
            if event["type"] == "response.text.done":
                print(f"bot: {event['text']}")
            if event["type"] == "response.done":
                break


if __name__ == "__main__":
    run(main, __doc__)
