"""Linear audio that is cut in the middle of a sample, from the phone's socket to the service."""

import json
from pathlib import Path

import aiohttp
import pytest

from gateway.call.notes import MalformedMessage, ServiceError, SessionReady
from tests.e2e.rig import LINE, configuration, instant, rig
from tests.phone.test_tolerance import L16, audio_message, changed, start_of

PIECES = (1, 319, 3, 0, 640, 641, 0, 1, 1, 2, 320)
"""Sizes of messages: odd ones, empty ones, and whole ones between two halves; an even sum."""


@pytest.mark.parametrize("provider", L16)
async def test_the_service_is_sent_whole_samples(tmp_path: Path, provider: str) -> None:
    """Byte for byte what the phone sent, in appends that are neither odd nor empty; one line of the log tells."""
    start = start_of(provider)
    for place, value in L16[provider].items():
        start = changed(start, place, value)
    audio = bytes(index % 251 for index in range(sum(PIECES)))
    gateway = f'providers: {{{provider}: {{}}}}\nstreams: {{auth: "off"}}\n'
    line = LINE.replace('"+14255550100"', '"*"')
    async with (
        rig(configuration(tmp_path, {"support": line}, gateway), instant(), keep_audio=True) as held,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{held.gateway.url}/stream/{provider}", protocols=subprotocols(provider)) as socket,
    ):
        await socket.send_str(json.dumps(start))
        await held.until(
            lambda: any(isinstance(noted.note, SessionReady) for made in held.notes.values() for noted in made)
        )
        at = 0
        for number, size in enumerate(PIECES, 1):
            message = audio_message(provider, audio[at : at + size], number)
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
            at += size
        (session,) = held.emulator.sessions
        await session.until(lambda session: len(session.input_audio) >= len(audio))
        swapped = b"".join(audio[index : index + 2][::-1] for index in range(0, len(audio), 2))
        assert session.input_audio == (swapped if provider == "telnyx" else audio)
        assert session.violations == []
        (made,) = held.notes.values()
        assert not [noted for noted in made if isinstance(noted.note, ServiceError | MalformedMessage)]


def subprotocols(provider: str) -> tuple[str, ...]:
    """What the provider asks for."""
    return {"jambonz": ("audio.jambonz.org",), "asterisk": ("media",)}.get(provider, ())
