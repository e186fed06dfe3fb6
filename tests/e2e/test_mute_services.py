"""What a phone plays while Voice Live keeps a connection and says nothing."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import PCMU
from gateway.audio.wav import write_wav
from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.phone.playout import FRAME_MS
from tests.e2e.exchange import exchange
from tests.e2e.rig import LINE, NUMBER, instant, noise
from tests.virtual_time import virtual_time

TONE_LEVEL, WORDS_LEVEL = 1_500, 10_000
"""The level of the soft tone is about 2,000, that of the recorded words is 12,000."""
GREETING = "1500 ms"


def level(audio: bytes) -> list[int]:
    """The highest level of each frame that the phone played."""
    samples = np.abs(g711.decode(audio, PCMU).astype(int))
    size = PCMU.bytes_for(FRAME_MS)
    return [int(samples[at : at + size].max()) for at in range(0, len(samples), size)]


def longest_pause_s(levels: list[int]) -> float:
    """The longest run of frames in which nothing is audible."""
    longest = run = 0
    for one in levels:
        run = 0 if one >= TONE_LEVEL // 4 else run + 1
        longest = max(longest, run)
    return longest * FRAME_MS / 1000


@pytest.mark.parametrize("answers", ["nothing", "created"])
def test_the_caller_of_a_mute_service_is_not_left_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str
) -> None:
    """The first session says nothing to any request: a tone after five seconds, the words after ten, the greeting of
    the second session at last; between these never more than the pause of the tone.
    """
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    write_wav(tmp_path / "trouble.wav", (12_000 * np.sin(np.arange(16_000) / 4)).astype(np.int16), PCMU.rate_hz)
    line = f"{LINE.replace('Hello.', GREETING)}on_trouble: {{play: {tmp_path / 'trouble.wav'}}}\n"

    @virtual_time
    async def heard() -> None:
        faults = drawn(FaultPlan.model_validate({"service": [{"kind": "mute", "answers": answers}]}), 1)
        async with exchange(tmp_path, ["twilio"], {"support": line}, instant(), limit_s=300) as held:
            held.emulator.faults = faults.service
            async with held.call("twilio", NUMBER) as phone:
                lost = await held.told("support", "session_lost")
                await held.told("support", "reply_heard")
                await asyncio.sleep(0.5)
            levels = level(bytes(phone.bot_audio))
            assert lost["cause"] == "mute"
            assert await held.told("support", "answer_overdue")
        tone = next(number for number, one in enumerate(levels) if one >= TONE_LEVEL) * FRAME_MS / 1000
        words = next(number for number, one in enumerate(levels) if one >= WORDS_LEVEL) * FRAME_MS / 1000
        assert 4.9 <= tone <= 5.6
        assert 10.0 <= words <= 12.6
        assert longest_pause_s(levels[round(tone * 1000 / FRAME_MS) :]) <= 1.7

    heard()
