"""Linear audio that is cut in the middle of a sample, from the phone's socket to the service."""

import json
from pathlib import Path

import aiohttp
import pytest

from gateway.call.notes import MalformedMessage, ServiceError, SessionReady
from tests.conformance.test_streams import LINEAR
from tests.conformance.transcripts import bare
from tests.conformance.wires import as_heard, audio_message, linear_start
from tests.e2e.rig import LINE, configuration, instant, rig
from tests.kinds import without_token

PIECES = (1, 319, 3, 0, 640, 641, 0, 1, 1, 2, 320)
"""Sizes of messages: odd ones, empty ones, and whole ones between two halves; an even sum."""


@pytest.mark.parametrize("provider", LINEAR)
async def test_the_service_is_sent_whole_samples(tmp_path: Path, provider: str) -> None:
    """Byte for byte what the phone sent, in appends that are neither odd nor empty; one line of the log tells."""
    start = without_token(provider, json.dumps(linear_start(provider)))
    audio = bytes(index % 251 for index in range(sum(PIECES)))
    gateway = f'providers: {{{provider}: {{}}}}\nstreams: {{auth: "off"}}\n'
    line = LINE.replace('"+14255550100"', '"*"')
    async with (
        rig(configuration(tmp_path, {"support": line}, gateway), instant(), keep_audio=True) as held,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{held.gateway.url}/stream/{provider}", protocols=bare(provider).subprotocols) as socket,
    ):
        await socket.send_str(str(start))
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
        assert session.input_audio == as_heard(provider, audio)
        assert session.violations == []
        (made,) = held.notes.values()
        assert not [noted for noted in made if isinstance(noted.note, ServiceError | MalformedMessage)]
