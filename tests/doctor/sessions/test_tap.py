"""What is noted of a session's socket."""

from pathlib import Path

import pytest

from gateway.doctor.sessions.tap import TappedService
from gateway.voice.bot import Model
from gateway.voice.commands import CreateResponse, SendAudio
from gateway.voice.events import ResponseEnded
from gateway.voice.service import VoiceRefusedError
from tests.doctor.sessions.opening import at_emulator, bot_of, talk_of


async def test_messages_are_noted_in_both_directions(tmp_path: Path) -> None:
    """Without those that are audio."""
    bot = bot_of(tmp_path)
    async with talk_of(bot, greeting="Hello.") as talk:
        talk.send(SendAudio(bytes(160)))
        talk.send(CreateResponse())
        await talk.until(ResponseEnded, limit_s=10)
        (connection,) = talk.tapped.connections
    assert [message["type"] for message in connection.sent] == ["session.update", "response.create"]
    assert connection.sent[0]["session"] == bot.session
    assert connection.handshake_s > 0
    (created,) = talk.tapped.all_of("session.created")
    assert created["session"]["id"]
    kinds = {message["type"] for message in connection.received}
    assert {"session.updated", "response.done", "response.audio.done"} <= kinds
    assert "response.audio.delta" not in kinds


async def test_a_refused_handshake_is_kept() -> None:
    """And raised as before."""
    async with at_emulator(faults={"handshake": {"status": 403}}) as (service, _):
        tapped = TappedService(service)
        with pytest.raises(VoiceRefusedError):
            await tapped.connect(Model("gpt-4.1"))
        assert tapped.failure is not None
        assert tapped.failure.status == 403
        assert tapped.connections == []
        assert tapped.endpoint == service.endpoint
