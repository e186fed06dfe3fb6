"""How calls begin, over real sockets: with a recording, with a sentence that must be heard, and out of hours."""

import asyncio
import wave
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.formats import PCMU
from gateway.audio.sound import Sound
from gateway.sim.caller.dial import dial
from tests.e2e.rig import LINE, NUMBER, configuration, instant, noise, rig, session_of
from tests.virtual_time import virtual_time

HOURS = '{open: {mon-sun: "00:00-00:01"}, closed: %s}'


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def recording(folder: Path, milliseconds: int = 600) -> Sound:
    """A WAV file beside the lines; what is in it, as the gateway reads it."""
    (folder / "lines").mkdir(parents=True, exist_ok=True)
    file = folder / "lines" / "welcome.wav"
    samples = np.random.default_rng(7).integers(-9000, 9000, 8 * milliseconds, dtype=np.int16)
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(samples.astype("<i2").tobytes())
    return Sound.read(file)


def line(text: str) -> dict[str, str]:
    """A line with this in place of its greeting."""
    return {"support": LINE.replace("greeting: Hello.\n", f"{text}\n")}


@virtual_time
async def test_a_recording_is_heard_before_the_session_is_there(tmp_path: Path) -> None:
    """Byte for byte, while the service still thinks about the handshake; then it is part of the conversation."""
    sound = recording(tmp_path)
    text = "Welcome to Contoso."
    lines = line(f"greeting: {{play: welcome.wav, text: {text}}}")
    script = instant({"say": "100 ms"}, latency_ms={"handshake": 1500})
    async with rig(configuration(tmp_path, lines), script) as held:
        async with dial("twilio", held.stream_url, to=NUMBER, from_="+14155550123", call_id="CA1") as phone:
            await held.until(lambda: held.fields("CA1", "reply_heard"))
            assert held.fields("CA1", "session_ready") == []
            assert sound.encoded(PCMU) in bytes(phone.bot_audio)
            session = await session_of(held, "CA1")
            await session.until(lambda one: any(item.get("role") == "assistant" for item in one.items))
        held.emulator.check()
    (said,) = [item for item in session.items if item.get("role") == "assistant"]
    assert said["content"] == [{"type": "text", "text": text}]
    assert [record.type for record in session.received if record.type == "response.create"] == []


@virtual_time
async def test_a_sentence_that_must_be_heard_is_not_interrupted(tmp_path: Path) -> None:
    """The caller speaks over it; it is heard to its end, and the caller is answered behind it."""
    words = "1500 ms of the law"
    lines = line(f"greeting: {{say: {words}, interruptible: false}}")
    async with rig(configuration(tmp_path, lines), instant({"say": "100 ms of an answer"})) as held:
        async with dial("twilio", held.stream_url, to=NUMBER, from_="+14155550123", call_id="CA1") as phone:
            session = await session_of(held, "CA1")
            await session.until(lambda one: any(record.type == "response.audio.done" for record in one.sent))
            await session.speech_started()
            await session.speech_stopped()
            await held.until(lambda: len(held.fields("CA1", "reply_heard")) == 2)
            assert await noise(words, PCMU) in bytes(phone.bot_audio)
            assert phone.clears == []
        held.emulator.check()


@pytest.mark.parametrize(
    ("closed", "sessions"), [("{say: 300 ms closed}", 1), ("{play: welcome.wav, text: Closed.}", 0)]
)
@virtual_time
async def test_a_closed_line(tmp_path: Path, closed: str, sessions: int) -> None:
    """It says so and hangs up; a recording needs no session of the service at all."""
    recording(tmp_path)
    lines = line(f"greeting: Never heard.\ntimezone: {about_noon()}\nhours: {HOURS % closed}")
    async with rig(configuration(tmp_path, lines), instant({"say": "100 ms"})) as held:
        async with (
            asyncio.timeout(15),
            dial("twilio", held.stream_url, to=NUMBER, from_="+14155550123", call_id="CA1") as phone,
        ):
            await phone.closed.wait()
            assert phone.playout.queued_bytes == 0
        assert (await held.end_of("CA1"))["reason"] == "line_closed"
        assert len(held.emulator.sessions) == sessions
        held.emulator.check()
    assert held.fields("CA1", "closed_line") == [{}]


def about_noon() -> str:
    """A time zone in which it is about noon, so that the one open minute of a day is not now."""
    offset = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-offset:+d}" if offset else "UTC"
