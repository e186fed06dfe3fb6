"""Two providers at once in one process, fifty calls each: nobody hears anybody else."""

import asyncio
import gc
import random
from collections import Counter
from pathlib import Path

import pytest

from gateway.audio.formats import AudioFormat
from gateway.sim.emulator import Script
from gateway.sim.emulator.script import Latency
from gateway.sim.phone.phone import SimulatedPhone
from tests.e2e.ear import KeepingPlayout
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import noise
from tests.virtual_time import virtual_time

PROVIDERS = ("twilio", "vonage")
"""mu-law in JSON, and 16 kHz linear in binary."""
CALLS = 50
LINES = {
    f"{provider}{number}": f'numbers: ["+1425555{first + number:04}"]\ninstructions: Talk.\nmodel: gpt-4.1\n'
    f"voice: en-US-AvaNeural\ngreeting: {400 + number} ms for {provider} {number}\n"
    for first, provider in ((0, "twilio"), (1000, "vonage"))
    for number in range(CALLS)
}
SPEECH_MS = 2_000


def speech(line: str, audio_format: AudioFormat) -> bytes:
    """What the caller of a line says: no frame of it is anybody else's."""
    return random.Random(line).randbytes(audio_format.bytes_for(SPEECH_MS))


@virtual_time
async def test_each_caller_is_heard_in_its_own_session_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame that a session got is its own caller's, in order; every byte a phone got is its own line's."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    monkeypatch.setattr("gateway.sim.phone.phone.Playout", KeepingPlayout)
    script = Script.model_validate(
        {"turns": [{"say": "never"}], "latency_ms": Latency.none(), "vad": "scripted", "pace": 20}
    )
    phones: dict[str, SimulatedPhone] = {}
    together = asyncio.Barrier(len(LINES))
    gc.collect()
    async with exchange(tmp_path, PROVIDERS, LINES, script, limit_s=40, keep_audio=True) as held:
        async with asyncio.TaskGroup() as group:
            for line, text in sorted(LINES.items()):
                await asyncio.sleep(0.0101)  # so that the phones' frames do not come all at once
                group.create_task(call(held, line, text.partition('"')[2].partition('"')[0], phones, together))
        assert Counter(end_reasons(held)) == {"caller_hung_up": len(LINES)}
        heard = {str(one.updates[0]["metadata"]["line"]): one.input_audio for one in held.emulator.sessions}
    assert heard.keys() == phones.keys() == LINES.keys()
    for line, phone in phones.items():
        said = speech(line, phone.audio_format)
        assert said in heard[line], f"{line} was not heard"
        rest = heard[line].replace(said, b"", 1)
        assert (
            rest == (phone.audio_format.silence(20) * (len(rest) // phone.audio_format.bytes_for(20) + 1))[: len(rest)]
        )
        greeting = await noise(LINES[line].rpartition("greeting: ")[2].strip(), phone.bot_format)
        assert isinstance(phone.playout, KeepingPlayout)
        stream = bytes(phone.playout.stream)
        assert stream.startswith(greeting)
        assert stream[len(greeting) :] == phone.bot_format.silence(20)[: len(stream) - len(greeting)]
        assert not phone.violations


async def call(
    held: Exchange, line: str, number: str, phones: dict[str, SimulatedPhone], together: asyncio.Barrier
) -> None:
    """Speak as soon as all are connected, while the greeting is heard; stay until both are over."""
    provider = line.rstrip("0123456789")
    ticked = asyncio.Event()
    async with held.call(provider, number, keep=False, on_tick=lambda _: ticked.set()) as phone:
        phones[line] = phone
        session = await held.session_of(line)
        await together.wait()
        phone.say(speech(line, phone.audio_format))
        while phone.saying:
            ticked.clear()
            await ticked.wait()
        sent = (phone.clock.frames + 1) * phone.audio_format.bytes_for(20)
        await session.until(lambda one: one.appended_bytes >= sent)
        await held.told(line, "reply_heard")
    await held.told(line, "call_ended")


def end_reasons(held: Exchange) -> list[object]:
    """Why the calls ended."""
    return [fields["reason"] for line in LINES for fields in held.fields(line, "call_ended")]
