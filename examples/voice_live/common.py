"""The parts that the programs here share: which service to use, how to prove who asks, and recorded speech.

Without options a program talks to `gateway emulator` on this machine. For Azure, give `--endpoint
https://RESOURCE.services.ai.azure.com`, and sign in with `az login`, or set AZURE_VOICELIVE_API_KEY.
"""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from azure.ai.voicelive.aio import VoiceLiveConnection
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.identity.aio import DefaultAzureCredential

EMULATOR = "http://127.0.0.1:8090"
RECORDINGS = Path(__file__).parents[2] / "gateway" / "sim" / "prompts" / "caller"
FRAME_BYTES, FRAME_S = 160, 0.02
"""A frame of G.711 at 8 kHz, which is what the recordings are."""
SILENCE = b"\xff" * FRAME_BYTES
LIMIT_S = 60


class EmulatorToken:
    """A bearer token for the emulator, which takes any."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return the token."""
        return AccessToken("emulator", int(time.time()) + 3600)

    async def close(self) -> None:
        """Do nothing."""

    async def __aenter__(self) -> "EmulatorToken":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing."""


Credential = AzureKeyCredential | EmulatorToken | DefaultAzureCredential


def credential(endpoint: str, *, token: bool = False) -> Credential:
    """Return the key of the environment, or a credential that fetches tokens; agents take ``token`` alone."""
    is_emulator = endpoint.startswith("http://127.0.0.1")
    if not token and (key := os.environ.get("AZURE_VOICELIVE_API_KEY", "emulator" if is_emulator else "")):
        return AzureKeyCredential(key)
    return EmulatorToken() if is_emulator else DefaultAzureCredential()


async def until(connection: VoiceLiveConnection, *types: str, show: Callable[[Any], None] | None = None) -> Any:
    """Return the next event of one of these types; ``show`` gets every event before it, and the event.

    Raises ``SystemExit`` for an error of the service, ``TimeoutError`` where the event does not come.
    """
    async with asyncio.timeout(LIMIT_S):
        async for event in connection:
            if event.type == "error":
                raise SystemExit(f"the service reported an error: {event.error.code}: {event.error.message}")
            if show is not None:
                show(event)
            if event.type in types:
                return event
    raise SystemExit("the service closed the connection")


def words(event: Any) -> None:
    """Print what was said by either side."""
    match event.type:
        case "conversation.item.input_audio_transcription.completed":
            print(f"caller: {event.transcript}")
        case "response.audio_transcript.done":
            print(f"bot: {event.transcript}")
        case "response.text.done":
            print(f"bot: {event.text}")


def recording(name: str) -> bytes:
    """Return the audio of a recorded caller: mu-law at 8 kHz."""
    content = (RECORDINGS / f"{name}.wav").read_bytes()
    return content[content.index(b"data") + 8 :]


async def frames(audio: bytes, silence_s: float = 1.5) -> AsyncIterator[bytes]:
    """Yield audio at the pace of speech, and then silence, by which the service knows that the turn is over."""
    due = time.monotonic()
    audio += SILENCE * round(silence_s / FRAME_S)
    for start in range(0, len(audio), FRAME_BYTES):
        yield audio[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\xff")
        due += FRAME_S
        await asyncio.sleep(max(0, due - time.monotonic()))


def run(main: Callable[[str, str], Awaitable[None]], description: str | None) -> None:
    """Run a program with the endpoint and the model of its command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", default=os.environ.get("AZURE_VOICELIVE_ENDPOINT", EMULATOR))
    parser.add_argument("--model", default="gpt-4.1")
    options = parser.parse_args()
    asyncio.run(_until_it_ends(main, options.endpoint, options.model))


async def _until_it_ends(main: Callable[[str, str], Awaitable[None]], endpoint: str, model: str) -> None:
    await main(endpoint, model)
