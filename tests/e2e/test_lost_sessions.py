"""Whole calls whose session is lost, or expires: the same call goes on at the emulator with another one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.sim.emulator import Script, Session
from tests.e2e.bare_phone import SILENCE, BarePhone, bare_phone, media
from tests.e2e.rig import LINE, Rig, configuration, instant, rig
from tests.virtual_time import virtual_time

FRAME_S = 0.02


@asynccontextmanager
async def calling(held: Rig, frames: int = 1) -> AsyncIterator[BarePhone]:
    """A caller whose phone sends frames of 20 ms until the block ends, ``frames`` of them in a message."""

    async def send(phone: BarePhone) -> None:
        with suppress(ConnectionError):
            while True:
                await phone.send(media(SILENCE * frames))
                await asyncio.sleep(FRAME_S * frames)

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


@virtual_time
async def test_an_agent_goes_on_with_its_conversation(tmp_path: Path) -> None:
    """The next session names it, and is told nothing twice."""
    line = LINE.replace("instructions: Answer the phone.\n", "").replace(
        "model: gpt-4.1\n", "agent: {name: desk, project: contoso}\nvoice: en-US-AvaMultilingualNeural\n"
    )
    async with rig(configuration(tmp_path, {"support": line}), instant()) as held:
        async with calling(held) as phone:
            first = await nth_session(held, 1)
            await held.until(lambda: held.fields(phone.call_id, "reply_heard"))
            first.cut()
            second = await nth_session(held, 2)
            await held.until(lambda: held.fields(phone.call_id, "session_recovered"))
        assert second.query["conversation-id"] == first.session["agent"]["thread_id"]
        assert held.fields(phone.call_id, "session_recovered")[0]["seeded"] == 0


async def rolled_over(folder: Path, script: Script, line: str, minutes: int, frames: int) -> list[bool]:
    """Whether each change of session was forced, in a call of so long; no frame of the caller may be lost."""
    sent = 60 * minutes * 8000
    async with rig(configuration(folder, {"support": line}), script, limit_s=1e5, keep_audio=False) as held:
        async with calling(held, frames) as phone:
            await asyncio.sleep(60 * minutes)
            changes = held.fields(phone.call_id, "session_rolled_over")
        received = sum(session.appended_bytes for session in held.emulator.sessions)
        assert received == pytest.approx(sent, abs=8000)
        assert held.fields(phone.call_id, "session_lost") == []
        assert [session.violations for session in held.emulator.sessions] == [[]] * len(held.emulator.sessions)
    return [bool(change["forced"]) for change in changes]


@virtual_time
async def test_sessions_of_twenty_seconds_carry_a_call_of_three_minutes(tmp_path: Path) -> None:
    """Every frame of the caller reaches a session; each change is made while nobody speaks."""
    script = instant(faults={"expire_after_s": 20})
    changes = await rolled_over(tmp_path, script, LINE, 3, 1)
    assert len(changes) >= 8
    assert not any(changes)


@virtual_time
async def test_a_call_of_sixty_five_minutes_outlives_a_session_of_an_hour(tmp_path: Path) -> None:
    """With the service's own ``expires_at``, a minute ahead of it."""
    line = LINE.replace("gpt-4.1", "gpt-realtime") + "limits: {duration_s: 7200}\n"
    assert await rolled_over(tmp_path, instant(), line, 65, 20) == [False]
