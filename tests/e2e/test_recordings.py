"""Recordings of calls against what the simulated phone sent and heard."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gateway.audio import g711
from gateway.audio.audio_file import read_audio
from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.call.notes import RecordingStarted
from gateway.call.record import CallIdentity, TimedNote
from gateway.cli.calling.own_gateway import CalledGateway, own_gateway
from gateway.sim.caller.call import CallPlan, CallResult, place_call
from gateway.sim.caller.caller import Utterance
from gateway.sim.caller.keys import Press
from gateway.sim.caller.recording import load_recording
from gateway.sim.emulator import Script
from gateway.sim.prompts import caller_prompt
from tests.e2e.rig import configuration, load
from tests.virtual_time import in_virtual_time

FRAME_S = 0.02
LINE = 'numbers: ["+14255550100"]\ninstructions: Talk.\nmodel: gpt-4.1\n'
GREETING = "greeting: 1503 ms of a greeting\n"
STORY = "4007 ms of a story that is interrupted"
TURNS = [{"say": STORY}, {"say": "1207 ms of an answer"}, {"say": "900 ms of a farewell"}]
PHONES = [
    ("twilio", PCMU),  # marks, and a buffer at the provider
    ("telnyx", PCMA),
    ("plivo", PCMU),
    ("genesys", PCMU),  # paced by pauses of its own, without marks
    ("vonage", L16_16K),
    ("acs", L16_24K),  # neither marks nor a buffer
    ("exotel", L16_8K),  # frames of 100 ms
    ("asterisk", PCMU),
]


@dataclass
class Made:
    """A call, what the phone had of it, and the recording; times in samples."""

    result: CallResult
    stream: CalledGateway
    path: Path | None
    notes: list[str] = field(default_factory=list)

    @property
    def rate_hz(self) -> int:
        """The rate of all that is compared."""
        return self.result.audio_format.rate_hz

    @property
    def recorded(self) -> npt.NDArray[np.int16]:
        """The recording, caller and bot."""
        assert self.path is not None
        audio = read_audio(self.path)
        assert audio.rate_hz == self.rate_hz
        return audio.samples

    @property
    def truth(self) -> npt.NDArray[np.int16]:
        """What the phone sent, and what its caller heard."""
        return self.result.stereo()

    @property
    def shift(self) -> int:
        """How much later the phone's first frame is than the beginning of the recording."""
        (began_at,) = (note.at for note in self.stream.notes if isinstance(note.note, RecordingStarted))
        return round((self.result.started_at - began_at) * self.rate_hz)


async def quiet_noise(text: str, audio_format: AudioFormat, *, language: str = "en") -> bytes:
    """Speech that is unlike in each place, and is never silent."""
    milliseconds = text.partition(" ms")[0]
    size = int(float(milliseconds) * audio_format.rate_hz / 1000) if milliseconds != text else 400 * len(text)
    noise_of = np.random.default_rng(random.Random(text).randrange(1 << 30))
    samples = noise_of.integers(1000, 9000, size) * noise_of.choice((-1, 1), size)
    return g711.encode(samples.astype(np.int16), audio_format)


async def call(
    folder: Path,
    provider: str = "twilio",
    audio_format: AudioFormat = PCMU,
    *,
    line: str,
    presses: tuple[Press, ...] = (),
    turns: list[dict[str, object]] | None = None,
    prompts: Mapping[str, int | None] | None = None,
) -> Made:
    """A call of a caller who interrupts the story, over this provider's wire."""
    deployment, lines = load(configuration(folder, {"support": LINE + line}))
    script = Script.model_validate({"turns": turns or TURNS})
    said = prompts if prompts is not None else {"order_status": None, "change_delivery": 1000, "goodbye": None}
    utterances = []
    for name, after_ms in said.items():
        prompt = caller_prompt(name)
        assert prompt
        utterances.append(Utterance(load_recording(prompt.path, audio_format), after_ms))

    def ignore(identity: CallIdentity, note: TimedNote) -> None:
        pass

    async with own_gateway(deployment, lines, provider, ignore, script, recordings=folder / "recordings") as stream:
        plan = CallPlan(
            utterances,
            to="+14255550100",
            from_="+14155550123",
            answer_url=stream.answer_url,
            status_url=stream.status_url,
            secrets=stream.secrets,
            provider=provider,
            audio_format=audio_format,
            presses=presses,
        )
        result = await place_call(plan, api=stream.api)
        assert not result.failure
        await stream.ended.wait()
        path = await stream.recording()
    told = [note.note.event for note in stream.notes if note.note.event.startswith("recording_")]
    return Made(result, stream, path, told)


@pytest.fixture(autouse=True)
def speaks_in_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulator speak what is unlike in each place."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", quiet_noise)


def offsets_s(made: Made, side: int) -> list[float]:
    """How much later each half second that is no silence stands on the recording than it should, by correlation."""
    truth, recorded, rate = made.truth[:, side], made.recorded[:, side], made.rate_hz
    found = []
    for at in range(0, len(truth) - rate // 2, rate // 2):
        piece = truth[at : at + rate // 2].astype(np.float64)
        if np.sqrt((piece**2).mean()) < 300:
            continue
        first = max(0, at + made.shift - rate // 10)
        place = recorded[first : at + made.shift + rate // 10 + piece.size].astype(np.float64)
        likeness = np.correlate(place, piece, "valid")
        assert likeness.max() > 0.6 * (piece @ piece), f"{at / rate:.1f} s of the call is not there"
        found.append((int(likeness.argmax()) + first - at - made.shift) / rate)
    return found


@pytest.mark.parametrize(("provider", "audio_format"), PHONES)
def test_a_recording_is_what_the_phone_sent_and_heard(tmp_path: Path, provider: str, audio_format: AudioFormat) -> None:
    """Both sides to a frame, before and after a barge-in, and as long as the call."""
    made = in_virtual_time(lambda: call(tmp_path, provider, audio_format, line=f"{GREETING}recording: true\n"))
    assert len(made.result.clears) >= 1
    for side, most in enumerate((10, 9)):
        offsets = offsets_s(made, side)
        assert len(offsets) >= most
        assert max(map(abs, offsets)) <= FRAME_S
    assert abs(len(made.recorded) / made.rate_hz - made.result.duration_ms / 1000) <= 2 * FRAME_S
    assert made.notes == ["recording_started", "recording_stopped"]


@pytest.mark.parametrize(("provider", "audio_format"), PHONES)
def test_what_a_barge_in_discarded_is_not_on_it(tmp_path: Path, provider: str, audio_format: AudioFormat) -> None:
    """Each time the bot falls silent, on the recording and for the caller, is the same to a frame."""
    made = in_virtual_time(lambda: call(tmp_path, provider, audio_format, line=f"{GREETING}recording: true\n"))
    falls = [ends_of_sound(side, made.rate_hz) for side in (made.truth[:, 1], made.recorded[:, 1])]
    assert len(falls[0]) == len(falls[1]) >= 4
    for heard, recorded in zip(*falls, strict=True):
        assert abs(heard + made.shift / made.rate_hz - recorded) <= FRAME_S


def ends_of_sound(side: npt.NDArray[np.int16], rate_hz: int) -> list[float]:
    """Where sound ends and 300 ms of silence follow, in seconds."""
    loud = np.flatnonzero(np.abs(side) > 500) / rate_hz
    gaps = np.flatnonzero(np.diff(loud) > 0.3)
    return [*loud[gaps].tolist(), float(loud[-1])]
