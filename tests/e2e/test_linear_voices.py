"""Voices that do not have the format of a linear phone: what is heard all the same."""

import json
from pathlib import Path

import aiohttp
import pytest

from gateway.audio.formats import L16_8K, L16_16K, AudioFormat
from tests.e2e.rig import NUMBER, configuration, instant, rig
from tests.e2e.test_refused_sessions import NATIVE, PLAIN, Heard, is_the_tone, tone
from tests.virtual_time import virtual_time


@pytest.fixture(autouse=True)
def speaks_in_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulator speak in the tone; what a phone hears is known in every format."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", tone)


@pytest.mark.parametrize("audio_format", [L16_8K, L16_16K])
@virtual_time
async def test_an_openai_voice_on_a_linear_phone(tmp_path: Path, audio_format: AudioFormat) -> None:
    """The voice comes at 24 kHz and is heard at the phone's rate; the caller's audio goes as it is."""
    gateway = 'providers: {vonage: {}}\nstreams: {auth: "off"}\n'
    line = PLAIN.replace(f'"{NUMBER}"', '"*"') + NATIVE
    form = {"event": "websocket:connected", "content-type": f"audio/l16;rate={audio_format.rate_hz}"}
    async with (
        rig(configuration(tmp_path, {"support": line}, gateway), instant()) as held,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{held.gateway.url}/stream/vonage") as socket,
    ):
        await socket.send_str(json.dumps(form))
        heard = bytearray()
        while len(heard) < audio_format.bytes_for(1000):
            message = await socket.receive()
            assert message.type is not aiohttp.WSMsgType.CLOSED
            if message.type is aiohttp.WSMsgType.BINARY:
                heard += message.data
        (session,) = held.emulator.sessions
        (update,) = session.updates
        held.emulator.check()
    assert is_the_tone(Heard(bytes(heard), 0.0), audio_format)
    rates = ("input_audio_format", "input_audio_sampling_rate", "output_audio_format")
    assert [update[key] for key in rates] == ["pcm16", audio_format.rate_hz, "pcm16"]
