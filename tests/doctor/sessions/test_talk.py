"""A session as a call opens it."""

from pathlib import Path

import pytest

from gateway.doctor.sessions import talk as of_talk
from gateway.errors import OutboxFullError
from gateway.voice.commands import CreateResponse
from gateway.voice.events import ResponseEnded, ResponseStarted, SessionReady, VoiceEnd
from tests.doctor.sessions.opening import asking, at_emulator, bot_of, talk_of


async def test_a_session_is_open_within_the_block(tmp_path: Path) -> None:
    """And closed after it."""
    async with at_emulator() as (service, emulator):
        async with of_talk.talking(service, bot_of(tmp_path)) as talk:
            assert isinstance(talk.events[0][1], SessionReady)
            assert talk.ready is not None
            assert talk.opened_s > 0
            assert emulator.open_sessions == 1
        assert talk.closed is not None
        assert talk.closed.end is VoiceEnd.CLOSED
        await (await emulator.session()).closed.wait()


async def test_events_are_awaited_in_their_order(tmp_path: Path) -> None:
    """Each is returned once, and what does not come is ``None`` at the limit."""
    async with talk_of(bot_of(tmp_path)) as talk:
        talk.send(CreateResponse())
        started = await talk.until(ResponseStarted, limit_s=10)
        assert isinstance(started, ResponseStarted)
        ended = await talk.until(ResponseEnded, limit_s=10)
        assert isinstance(ended, ResponseEnded)
        assert ended.response_id == started.response_id
        assert await talk.until(ResponseStarted, limit_s=0.05) is None


async def test_a_refused_session(tmp_path: Path) -> None:
    """The block begins all the same, with the reason, and waits for nothing."""
    async with talk_of(asking(bot_of(tmp_path), modalities=["novel"])) as talk:
        assert talk.ready is None
        assert talk.closed is not None
        assert talk.closed.end is VoiceEnd.REFUSED
        assert await talk.until(ResponseStarted, limit_s=60) is None


async def test_a_session_that_never_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a limit, and nothing is left of it."""
    monkeypatch.setattr(of_talk, "OPEN_LIMIT_S", 0.1)
    async with talk_of(bot_of(tmp_path), faults={"handshake": {"never": True}}) as talk:
        assert talk.closed is not None
        assert talk.closed.detail == "no session within 0.1 s"


async def test_a_service_that_does_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the session, without an exception."""

    def full(*_: object) -> None:
        raise OutboxFullError("the peer has not read 300000 bytes")

    async with talk_of(bot_of(tmp_path)) as talk:
        monkeypatch.setattr(talk._leg, "send", full)
        talk.send(CreateResponse())
        assert talk.closed is not None
        assert talk.closed.end is VoiceEnd.STALLED
