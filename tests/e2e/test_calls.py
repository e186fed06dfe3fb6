"""Whole calls, all at once: recordings that nobody tuned for, each line with its own settings."""

import asyncio
import json
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gateway.audio import g711
from gateway.audio.audio_file import read_audio
from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.audio.g711 import Samples
from gateway.audio.resample import resample
from gateway.sim.caller.call import CallPlan, CallResult, place_call
from gateway.sim.caller.caller import Patience, Utterance
from gateway.sim.caller.recording import load_recording
from gateway.sim.emulator import Script, Session
from gateway.sim.prompts import FOLDER
from tests.e2e.rig import configuration, noise, rig
from tests.virtual_time import in_virtual_time

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "gateway.yaml"
SUPPORT, RESTAURANT, LIBRARY = "+14255550100", "+14255550101", "+493023125000"
ANSWER = "600 ms of an answer"
FRAME = 160


def prompt(name: str) -> Samples:
    """What a caller says, 8 kHz."""
    return read_audio(FOLDER / "caller" / f"{name}.wav").mono


ORDER = prompt("order_status")
"""2.6 s; the source of most recordings here."""
STORY = np.concatenate(
    [
        np.concatenate([prompt(name), np.zeros(4_000, np.int16)])
        for name in ("order_status", "change_delivery", "goodbye") * 5
    ]
)[: 8_000 * 40]
"""40 s, with pauses in which the bot answers and is talked over again."""


def wav(tag: int, channels: int, rate_hz: int, bits: int, data: bytes) -> bytes:
    """A WAV file with this content."""
    block = channels * bits // 8
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate_hz, rate_hz * block, block, bits)
    body = b"WAVE" + fmt + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def cd_stereo(samples: Samples) -> bytes:
    """44.1 kHz, 16 bits, two channels of which the right one is half as loud."""
    left = resample(samples, 8_000, 44_100)
    return wav(1, 2, 44_100, 16, np.stack([left, left // 2], axis=1).astype("<i2").tobytes())


def eight_bit(samples: Samples) -> bytes:
    """11.025 kHz, 8 bits."""
    return wav(1, 1, 11_025, 8, (resample(samples, 8_000, 11_025) // 256 + 128).astype(np.uint8).tobytes())


def studio(samples: Samples) -> bytes:
    """48 kHz, 24 bits."""
    wide = resample(samples, 8_000, 48_000).astype("<i4") * 256
    return wav(1, 1, 48_000, 24, wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())


def floating(samples: Samples) -> bytes:
    """16 kHz, 32-bit float."""
    return wav(3, 1, 16_000, 32, (resample(samples, 8_000, 16_000) / 32768).astype("<f4").tobytes())


def dictaphone(samples: Samples) -> bytes:
    """22.05 kHz, 16 bits."""
    return wav(1, 1, 22_050, 16, resample(samples, 8_000, 22_050).astype("<i2").tobytes())


@dataclass
class Case:
    """A recording, who is called with it, and in the end what came of it."""

    file: str
    content: Callable[[Samples], bytes]
    level: float = 1.0
    to: str = SUPPORT
    audio_format: AudioFormat = PCMU
    source: Samples = field(default_factory=lambda: ORDER)
    result: CallResult = field(init=False)
    session: Session = field(init=False)

    def decoded(self, audio: bytes) -> npt.NDArray[np.float64]:
        """Samples of audio in the call's format."""
        return g711.decode(audio, self.audio_format).astype(np.float64)


CASES = {
    case.file: case
    for case in (
        Case("cd-stereo.wav", cd_stereo, level=0.75),
        Case("eight-bit.wav", eight_bit),
        Case("studio.wav", studio, to=RESTAURANT),
        Case("float.wav", floating),
        Case("raw.ulaw", lambda samples: g711.encode(samples, PCMU)),
        Case("raw.alaw", lambda samples: g711.encode(samples, PCMA), to=LIBRARY, audio_format=PCMA),
        Case("forty-seconds.wav", dictaphone, source=STORY),
    )
}
COMMAND = "the command"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All calls, at once on one gateway in virtual time; one by ``gateway call`` in real time, under ``COMMAND``."""
    folder = tmp_path_factory.mktemp("recordings")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        in_virtual_time(lambda: make_calls(folder))
    return {**CASES, COMMAND: asyncio.run(run_command(folder))}


async def make_calls(folder: Path) -> None:
    script = Script.model_validate({"greeting": "700 ms of a greeting", "turns": [{"say": ANSWER}]})
    shipped = CONFIG.read_text("utf-8").replace("auth: token", 'auth: "off"')  # the phones call the stream itself
    assert 'auth: "off"' in shipped
    lines = {path.stem: path.read_text("utf-8") for path in (CONFIG.parent / "lines").glob("*.yaml")}
    shutil.copytree(CONFIG.parent / "lines", folder / "config" / "lines")
    opened = configuration(folder / "config", lines, shipped)
    async with rig(opened, script, limit_s=90, keep_audio=True) as held, asyncio.TaskGroup() as group:

        async def call(case: Case) -> None:
            path = folder / case.file
            path.write_bytes(case.content(case.source))
            utterance = Utterance(load_recording(path, case.audio_format))
            plan = CallPlan(
                [utterance],
                to=case.to,
                from_="+14155550123",
                url=held.stream_url,
                audio_format=case.audio_format,
                patience=Patience(turn_gap_s=0.4),
            )
            case.result = await place_call(plan)
            await held.end_of(case.result.call_id)
            case.session = next(
                s for s in held.emulator.sessions if s.updates[0]["metadata"]["call_id"] == case.result.call_id
            )

        for case in CASES.values():
            group.create_task(call(case))
    held.emulator.check()


async def run_command(folder: Path) -> tuple[int, str, str, Path]:
    """``gateway call`` with two recordings to the German line in A-law: exit code, output, errors, folder."""
    first, second = folder / "frage.wav", folder / "danke.ulaw"
    first.write_bytes(cd_stereo(ORDER))
    second.write_bytes(g711.encode(prompt("goodbye"), PCMU))
    out = folder / "call"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        "call",
        str(first),
        str(second),
        "--to",
        LIBRARY,
        "--codec",
        "pcma",
        "--config",
        str(CONFIG),
        "--out",
        str(out),
        "--json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return process.returncode, stdout.decode(), stderr.decode(), out


@pytest.mark.parametrize("file", CASES)
def test_the_service_hears_what_the_phone_sent(calls: dict[str, Case], file: str) -> None:
    """Byte for byte, from the first frame on; what was on its way at the hang-up is all that may lack."""
    case = calls[file]
    sent, arrived = case.result.caller_audio, case.session.input_audio
    assert sent.startswith(arrived)
    assert len(sent) - len(arrived) <= 5 * FRAME


@pytest.mark.parametrize("file", CASES)
def test_the_recording_is_what_is_heard(calls: dict[str, Case], file: str) -> None:
    """Whatever its rate, width and channels: the same words at the same level and moment, not merely some sound."""
    case = calls[file]
    (spoken,) = case.result.spoken
    heard = case.decoded(case.session.input_audio[spoken.start_ms * 8 :][: case.source.size])
    source = case.source.astype(np.float64)
    assert heard.size == source.size
    assert np.corrcoef(heard, source)[0, 1] > 0.99
    assert np.sqrt((heard**2).mean() / (source**2).mean()) == pytest.approx(case.level, rel=0.05)


@pytest.mark.parametrize("file", CASES)
def test_the_phone_plays_what_the_service_said(calls: dict[str, Case], file: str) -> None:
    """The greeting and the answers, byte for byte and in order; a reply that was talked over breaks off at a frame."""
    case = calls[file]
    silence = case.audio_format.silence(20)
    frames = [case.result.bot_audio[at : at + FRAME] for at in range(0, len(case.result.bot_audio), FRAME)]
    played = b"".join(frame for frame in frames if frame != silence)
    replies = [str(r.event["transcript"]) for r in case.session.sent if r.type == "response.audio_transcript.done"]
    whole = 0
    for reply in replies:
        audio = asyncio.run(noise(reply, case.audio_format))
        audio += silence[: -len(audio) % FRAME]
        size = next(size for size in range(len(audio), -1, -FRAME) if played.startswith(audio[:size]))
        played = played[size:]
        whole += size == len(audio)
    assert not played, "the phone played something that no reply accounts for"
    assert whole >= 2


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        (
            "cd-stereo.wav",
            "support",
            {
                "voice": {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"},
                "input_audio_format": "g711_ulaw",
                "output_audio_format": "g711_ulaw",
            },
        ),
        (
            "studio.wav",
            "restaurant",
            {
                "voice": {"type": "openai", "name": "marin"},
                "input_audio_format": "g711_ulaw",
                "output_audio_format": "g711_ulaw",
            },
        ),
        (
            "raw.alaw",
            "bibliothek",
            {
                "voice": {
                    "type": "azure-standard",
                    "name": "de-DE-SeraphinaMultilingualNeural",
                    "locale": "de-DE",
                    "rate": "-5%",
                },
                "input_audio_format": "g711_alaw",
                "output_audio_format": "g711_alaw",
            },
        ),
    ],
)
def test_a_line_has_its_own_session(calls: dict[str, Case], file: str, line: str, expected: dict[str, object]) -> None:
    """The session that the service was asked for: this line's instructions and voice, the phone's own format."""
    (update,) = calls[file].session.updates
    assert {key: update[key] for key in expected} == expected
    assert update["metadata"]["line"] == line
    words = {
        "support": "You answer the support line of Contoso on the phone.",
        "restaurant": "You answer the phone of the Fork and Lantern, a small neighbourhood restaurant.",
        "bibliothek": "Neustadt",
    }
    assert words[line] in update["instructions"]
    assert "+14155550123" in update["instructions"] or line == "bibliothek"
    assert "{" not in update["instructions"]


@pytest.mark.parametrize(
    ("file", "greeting"),
    [
        ("cd-stereo.wav", "Thank you for calling Contoso. How can I help?"),
        ("raw.alaw", "Guten Tag, Sie sind mit der Stadtbücherei verbunden. Was kann ich für Sie tun?"),
    ],
)
def test_a_line_greets_in_its_own_words(calls: dict[str, Case], file: str, greeting: str) -> None:
    """Word for word, and the first thing that is said."""
    said = [r.event["transcript"] for r in calls[file].session.sent if r.type == "response.audio_transcript.done"]
    assert said[0] == greeting


def test_a_voice_that_is_the_models_own_is_asked_to_greet(calls: dict[str, Case]) -> None:
    """No text to speech stands behind it: the greeting is an instruction."""
    asked = [r.event for r in calls["studio.wav"].session.received if r.type == "response.create"]
    assert "Good evening, this is the Fork and Lantern." in asked[0]["response"]["instructions"]


def test_the_command_calls_another_line_in_a_law(calls: dict[str, Any]) -> None:
    """Exit 0, the line's greeting, and a folder that holds the call: both channels, told and pictured."""
    code, stdout, stderr, out = calls[COMMAND]
    assert (code, stderr) == (0, "")
    told = json.loads(stdout)
    assert (told["line"], told["audio_format"], told["called"]) == ("bibliothek", "pcma/8000", LIBRARY)
    assert told["ended"]["gateway"]["reason"] == "caller_hung_up"
    assert [turn["recording"] for turn in told["turns"] if turn["recording"]] == ["frage.wav", "danke.ulaw"]
    greeting = next(turn for turn in told["turns"] if turn["speaker"] == "bot")
    assert greeting["text"].startswith("Guten Tag, Sie sind mit der Stadtbücherei verbunden.")
    assert {path.name for path in out.iterdir()} == {"call.wav", "call.json", "events.jsonl", "report.html"}
    sound = read_audio(out / "call.wav")
    assert (sound.channels, sound.rate_hz) == (2, 8_000)
    right = sound.samples[greeting["start_ms"] * 8 : greeting["end_ms"] * 8, 1].astype(np.float64)
    german = read_audio(FOLDER / "bot" / "library_de.wav").mono[: right.size].astype(np.float64)
    assert np.corrcoef(right[: german.size], german)[0, 1] > 0.98
