"""A phone that echoes: what the bot says comes back as if the caller said it."""

import asyncio
from pathlib import Path

import pytest

from gateway.audio.formats import PCMU
from gateway.sim.emulator import Script
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.phone import SimulatedPhone
from tests.call.barge_in.sounds import caller_speech, quieter
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER
from tests.virtual_time import virtual_time

DELAY_FRAMES = 12
"""240 ms from the phone's loudspeaker to its microphone, by way of the network."""
WORDS = "I have checked the order for you. It has left our warehouse in Hamburg and is on its way."
GREETING = LINE.replace("greeting: Hello.", "greeting: Thank you for calling Contoso. How can I help?")
GATED = GREETING + "barge_in: {echo_gate: true}\n"


class Echo:
    """The caller's side of a phone that echoes; ``words`` are said over the bot after so many seconds."""

    def __init__(self, words: bytes = b"", at_s: float = 0.0) -> None:
        self.phone: SimulatedPhone | None = None
        self._late = [PCMU.silence(20)] * DELAY_FRAMES
        self._words, self._at = words, round(at_s * 50)

    def tick(self, tick: Tick) -> None:
        """Send back what was heard a little earlier, more quietly."""
        self._late.append(quieter(tick.heard.audio, 0.5))
        frame = self._late.pop(0)
        if self._words and tick.number >= self._at:
            frame, self._words = self._words[:160].ljust(160, b"\xff"), self._words[160:]
        if self.phone is not None:
            self.phone.say(frame)


async def call(held: Exchange, echo: Echo, seconds: float) -> None:
    """A caller who listens for so long."""
    async with held.call("twilio", NUMBER, on_tick=echo.tick) as phone:
        echo.phone = phone
        await asyncio.sleep(seconds)


def script() -> Script:
    """A service whose turn detection hears what it is sent."""
    return Script.model_validate({"turns": [{"say": WORDS}]})


@virtual_time
async def test_without_a_gate_the_bot_interrupts_itself(tmp_path: Path) -> None:
    """Its own words are a turn of the caller, which it answers."""
    async with exchange(tmp_path, ["twilio"], {"support": GREETING}, script()) as held:
        await call(held, Echo(), 12)
        assert held.fields("support", "barge_in")
        assert held.fields("support", "caller_said")


@virtual_time
async def test_behind_the_gate_it_speaks_on(tmp_path: Path) -> None:
    """The greeting is heard to its end, no turn is left in the conversation, and nothing is answered."""
    async with exchange(tmp_path, ["twilio"], {"support": GATED}, script()) as held:
        await call(held, Echo(), 12)
        assert held.fields("support", "barge_in") == []
        assert held.fields("support", "caller_said") == []
        ignored = held.fields("support", "speech_ignored")
        assert ignored
        assert {note["reason"] for note in ignored} == {"echo"}
        (session,) = held.emulator.sessions
        assert [item["role"] for item in session.items] == ["assistant"]
        heard = held.fields("support", "reply_heard")
        assert [note["heard_ms"] == note["received_ms"] for note in heard] == [True]
        held.emulator.check()


@pytest.mark.parametrize("at_s", [2.0, 2.6])
@virtual_time
async def test_the_caller_is_heard_through_the_gate(tmp_path: Path, at_s: float) -> None:
    """Words over the greeting and its echo interrupt it, and are answered."""
    async with exchange(tmp_path, ["twilio"], {"support": GATED}, script()) as held:
        await call(held, Echo(caller_speech(1.2), at_s), 12)
        assert len(held.fields("support", "caller_said")) == 1
        assert len(held.fields("support", "barge_in")) == 1
        held.emulator.check()
