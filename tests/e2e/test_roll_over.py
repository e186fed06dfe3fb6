"""Sessions that are replaced before they expire: nothing of it is heard, and no frame of the caller is lost.

What the caller heard is what the simulated phone has played, frame by frame.
"""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.audio.formats import PCMU
from gateway.sim.emulator import Emulator, Script
from gateway.sim.emulator.script import Latency
from gateway.sim.phone.playout import FRAME_MS
from tests.e2e.bare_phone import BarePhone, bare_phone, media
from tests.e2e.exchange import exchange
from tests.e2e.rig import LINE, NUMBER, configuration, instant, noise, rig
from tests.e2e.test_mute_services import level
from tests.virtual_time import in_virtual_time, virtual_time

FRAME = PCMU.bytes_for(FRAME_MS)
DIGITS = bytes([*range(0x70, 0x80), *range(0xF0, 0x100)])
"""The quietest samples of µ-law, in which a frame's number is written: no voice activity is heard in them."""
PLACES = 5
GAP_MS = 100
LATENCY = {"handshake": 400}
ANSWER_MS, TURN_S, CALL_S = 1200, 3.7, 180.0
AUDIBLE = 1_000


def numbered(number: int) -> bytes:
    """A frame of a caller, which is like no other one of the call."""
    places = [DIGITS[number // len(DIGITS) ** place % len(DIGITS)] for place in range(PLACES)]
    return bytes(places) * (FRAME // PLACES)


def number_of(frame: bytes) -> int:
    """The number of a frame."""
    return sum(DIGITS.index(digit) * len(DIGITS) ** place for place, digit in enumerate(frame[:PLACES]))


def received(emulator: Emulator, count: int) -> list[int]:
    """The numbers of the frames that all sessions got, in the order of the sessions; behind them is silence alone."""
    audio = b"".join(session.input_audio for session in emulator.sessions)
    assert set(audio[count * FRAME :]) <= {0xFF}
    frames = [audio[at : at + FRAME] for at in range(0, count * FRAME, FRAME)]
    assert all(frame == frame[:PLACES] * (FRAME // PLACES) for frame in frames)
    return list(map(number_of, frames))


async def say_numbers(phone: BarePhone, frames: int, at_once: int) -> None:
    """Send so many numbered frames in real time, ``at_once`` in a message."""
    begun = asyncio.get_running_loop().time()
    for first in range(0, frames, at_once):
        await phone.send(media(b"".join(map(numbered, range(first, first + at_once)))))
        await asyncio.sleep(begun + (first + at_once) * FRAME_MS / 1000 - asyncio.get_running_loop().time())


async def sent_through(folder: Path, script: Script, line: str, minutes: int, at_once: int) -> tuple[list[int], int]:
    """The frames that the service got of a call of so many minutes, and the number of its sessions."""
    frames = minutes * 60_000 // FRAME_MS
    async with rig(configuration(folder, {"support": line}), script, limit_s=1e5, keep_audio=True) as held:
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            await held.until(lambda: held.fields(phone.call_id, "session_ready"))
            await say_numbers(phone, frames, at_once)
            await asyncio.sleep(1.0)
            assert held.fields(phone.call_id, "session_lost") == []
            assert len(held.fields(phone.call_id, "session_rolled_over")) == len(held.emulator.sessions) - 1
        return received(held.emulator, frames), len(held.emulator.sessions)


SILENT = LINE.replace("greeting: Hello.\n", "")


@virtual_time
async def test_no_frame_of_three_minutes_is_lost_between_sessions_of_twenty_seconds(tmp_path: Path) -> None:
    """Each comes once and in order, though the next session takes 400 ms to be ready."""
    script = instant(faults={"expire_after_s": 20}, latency_ms=LATENCY)
    numbers, sessions = await sent_through(tmp_path, script, SILENT, 3, 1)
    assert numbers == list(range(3 * 60_000 // FRAME_MS))
    assert sessions >= 9


@virtual_time
async def test_no_frame_of_sixty_five_minutes_is_lost_at_the_end_of_the_hour(tmp_path: Path) -> None:
    """The service's own lifetime, 195,000 frames."""
    line = SILENT.replace("gpt-4.1", "gpt-realtime") + "limits: {duration_s: 7200}\n"
    numbers, sessions = await sent_through(tmp_path, instant(latency_ms=LATENCY), line, 65, 20)
    assert numbers == list(range(65 * 60_000 // FRAME_MS))
    assert sessions == 2


def gaps_ms(levels: Sequence[int]) -> list[int]:
    """The silences between audible frames, in milliseconds."""
    audible = [number for number, one in enumerate(levels) if one >= AUDIBLE]
    return [(later - sooner - 1) * FRAME_MS for sooner, later in pairwise(audible)]


async def heard(folder: Path, expires: dict[str, Any], *, turns: bool, greeting: str) -> tuple[list[int], int]:
    """What a caller hears, who says something every few seconds, or only listens; and the changes of the session."""
    script = Script.model_validate(
        {
            "turns": [{"say": f"{ANSWER_MS} ms"}],
            "latency_ms": {**Latency.none().model_dump(), **LATENCY},
            "pace": 10_000,
            **expires,
        }
    )
    line = LINE.replace("Hello.", greeting)
    async with exchange(folder, ["twilio"], {"support": line}, script, limit_s=1e4) as held:
        async with held.call("twilio", NUMBER) as phone:
            speech = await noise("600 ms", PCMU)
            for _ in range(round(CALL_S / TURN_S)):
                await asyncio.sleep(TURN_S)
                if turns:
                    phone.say(speech)
        changes = held.fields("support", "session_rolled_over")
        assert held.fields("support", "session_lost") == []
        return level(bytes(phone.bot_audio)), len(changes)


EXPIRES = {"faults": {"expire_after_s": 20}}


def test_no_answer_is_late_or_broken_because_of_a_roll_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In three minutes each silence is as long as in the same call with one session, and no answer has a gap."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    usual, none = in_virtual_time(lambda: heard(tmp_path / "one", {}, turns=True, greeting="1000 ms"))
    levels, changes = in_virtual_time(lambda: heard(tmp_path / "many", EXPIRES, turns=True, greeting="1000 ms"))
    assert (none, changes >= 8) == (0, True)
    expected, gaps = [[gap for gap in gaps_ms(one) if gap > GAP_MS] for one in (usual, levels)]
    assert len(expected) >= 40
    assert len(gaps) == len(expected)
    assert max(abs(gap - other) for gap, other in zip(gaps, expected, strict=True)) <= GAP_MS
    answers = sum(one >= AUDIBLE for one in levels) * FRAME_MS
    assert answers == pytest.approx(sum(one >= AUDIBLE for one in usual) * FRAME_MS, abs=GAP_MS)


def test_a_story_that_outlasts_sessions_has_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller hears three minutes without a pause, while one session after the other takes over."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    levels, changes = in_virtual_time(lambda: heard(tmp_path, EXPIRES, turns=False, greeting="170000 ms"))
    assert changes >= 7
    assert max(gaps_ms(levels)) <= GAP_MS
    assert sum(one >= AUDIBLE for one in levels) * FRAME_MS == pytest.approx(170_000, abs=GAP_MS)
