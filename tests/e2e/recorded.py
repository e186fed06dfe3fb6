"""Calls of lines that record: what the phone sent and heard, and the recording."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.audio import g711
from gateway.audio.audio_file import read_audio
from gateway.audio.formats import PCMU, AudioFormat
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

FRAME_S = 0.02
LINE = 'numbers: ["+14255550100"]\ninstructions: Talk.\nmodel: gpt-4.1\n'
GREETING = "greeting: 1503 ms of a greeting\n"
STORY = "4007 ms of a story that is interrupted"
TURNS = [{"say": STORY}, {"say": "1207 ms of an answer"}, {"say": "900 ms of a farewell"}]


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
        """Return what the phone sent, and what its caller heard."""
        return self.result.stereo()

    def time_of(self, event: str) -> float:
        """When something was noted, in seconds of the recording."""
        (began_at,) = (note.at for note in self.stream.notes if isinstance(note.note, RecordingStarted))
        return next(note.at for note in self.stream.notes if note.note.event == event) - began_at

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


def rate_s(made: Made, seconds: float) -> int:
    """So many samples."""
    return round(seconds * made.rate_hz)


def offsets_s(made: Made, side: int, *, from_s: float = 0.0, channel: int | None = None) -> list[float]:
    """How much later each half second that is no silence stands on the recording than it should, by correlation."""
    rate, truth = made.rate_hz, made.truth[:, side]
    recorded = made.recorded[:, side if channel is None else channel]
    found = []
    for at in range(round(from_s * rate), len(truth) - rate // 2, rate // 2):
        piece = truth[at : at + rate // 2].astype(np.float64)
        if np.sqrt((piece**2).mean()) < 300:
            continue
        first = max(0, at + made.shift - rate // 10)
        place = recorded[first : at + made.shift + rate // 10 + piece.size].astype(np.float64)
        likeness = np.correlate(place, piece, "valid")
        assert likeness.max() > 0.6 * (piece @ piece), f"{at / rate:.1f} s of the call is not there"
        found.append((int(likeness.argmax()) + first - at - made.shift) / rate)
    return found


def ends_of_sound(side: npt.NDArray[np.int16], rate_hz: int) -> list[float]:
    """Where sound ends and 300 ms of silence follow, in seconds."""
    loud = np.flatnonzero(np.abs(side) > 500) / rate_hz
    gaps = np.flatnonzero(np.diff(loud) > 0.3)
    return [*loud[gaps].tolist(), float(loud[-1])]
