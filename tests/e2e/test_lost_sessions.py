"""Whole calls whose session is lost, or expires: the same call goes on at the emulator with another one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.sim.emulator import Script, Session
from tests.e2e.bare_phone import BarePhone, bare_phone, media
from tests.e2e.rig import LINE, Rig, configuration, instant, rig
from tests.virtual_time import virtual_time

FRAME_S = 0.02


@asynccontextmanager
async def calling(held: Rig) -> AsyncIterator[BarePhone]:
    """A caller whose phone sends a frame every 20 ms until the block ends."""

    async def send(phone: BarePhone) -> None:
        with suppress(ConnectionError):
            while True:
                await phone.send(media())
                await asyncio.sleep(FRAME_S)

    async with bare_phone(held.stream_url) as phone, asyncio.TaskGroup() as group:
        await phone.start()
        sending = group.create_task(send(phone))
        listening = group.create_task(_listen(phone))
        yield phone
        sending.cancel()
        listening.cancel()


async def _listen(phone: BarePhone) -> None:
    """Return each mark as soon as it comes, until the gateway closes the stream."""
    with suppress(EOFError, ConnectionError):
        while True:
            mark = await phone.next("mark")
            await phone.send(_returned(mark))


def _returned(mark: dict[str, Any]) -> str:
    return json.dumps({"event": "mark", "streamSid": mark["streamSid"], "mark": mark["mark"]})


async def nth_session(held: Rig, number: int) -> Session:
    """The session of that number, once it has its settings."""
    while len(held.emulator.sessions) < number or not held.emulator.sessions[number - 1].updates:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return held.emulator.sessions[number - 1]


async def turn(session: Session, words: str) -> None:
    """Let the caller say a turn."""
    await session.speech_started()
    await session.speech_stopped(words)


def items(session: Session) -> list[str]:
    """The texts of a session's conversation."""
    parts = [part for item in session.items for part in item.get("content", [])]
    return [str(part.get("text") or part.get("transcript") or "") for part in parts]


@virtual_time
async def test_a_call_goes_on_with_another_session(tmp_path: Path) -> None:
    """It knows what was said before, is asked for no second greeting, and answers."""
    script = instant({"say": "Your order is on its way."}, {"say": "Goodbye."})
    async with rig(configuration(tmp_path), script) as held:
        async with calling(held) as phone:
            first = await nth_session(held, 1)
            await held.until(lambda: held.fields(phone.call_id, "reply_heard"))
            await turn(first, "My order is 4711.")
            await held.until(lambda: len(held.fields(phone.call_id, "reply_heard")) == 2)
            first.cut("reset")
            second = await nth_session(held, 2)
            await held.until(lambda: held.fields(phone.call_id, "session_recovered"))
            await second.until(lambda session: len(session.items) >= 4)
            assert "My order is 4711." in items(second)
            assert "Hello." in items(second)
            await turn(second, "Thank you.")
            await held.until(lambda: len(held.fields(phone.call_id, "reply_heard")) == 3)
            assert [session.violations for session in held.emulator.sessions] == [[], []]
        (lost,) = held.fields(phone.call_id, "session_lost")
        assert lost["cause"] == "lost"
    greetings = [event for session in held.emulator.sessions for event in session.received if "Hello." in str(event)]
    assert len([event for event in greetings if "response.create" in str(event)]) == 1


@virtual_time
async def test_a_service_that_stays_away_ends_the_call_after_its_tries(tmp_path: Path) -> None:
    """And ``on_failure`` follows, as after any loss."""
    lines = {"support": f"{LINE}on_trouble: {{tries: 2, limit_s: 5}}\n"}
    async with rig(configuration(tmp_path, lines), instant(faults={"connections_per_minute": 1})) as held:
        async with calling(held) as phone:
            first = await nth_session(held, 1)
            await held.until(lambda: held.fields(phone.call_id, "reply_heard"))
            first.cut()
            end = await held.end_of(phone.call_id)
        assert end["reason"] == "voice_lost"
        assert "2 tries at another session" in str(end["detail"])
        assert held.fields(phone.call_id, "session_not_recovered")[0]["cause"] == "lost"


@pytest.mark.parametrize("minutes", [3])
@virtual_time
async def test_sessions_of_twenty_seconds_carry_a_call_of_minutes(tmp_path: Path, minutes: int) -> None:
    """Every frame of the caller reaches a session, and nothing is heard of the changes."""
    script: Script = instant(faults={"expire_after_s": 20})
    async with rig(configuration(tmp_path), script, limit_s=3600, keep_audio=False) as held:
        async with calling(held) as phone:
            await asyncio.sleep(60 * minutes)
            rolled = held.fields(phone.call_id, "session_rolled_over")
            sent = 60 * minutes * 8000
        assert len(rolled) >= 60 * minutes // 20 - 1
        assert not any(note["forced"] for note in rolled)
        assert held.fields(phone.call_id, "session_lost") == []
        received = sum(session.appended_bytes for session in held.emulator.sessions)
        assert received == pytest.approx(sent, abs=8000)
