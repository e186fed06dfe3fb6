"""A recording of what a caller says, in the audio format of the call."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.audio import g711
from gateway.audio.audio_file import AudioFile, Channel, read_audio, read_bytes
from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.audio.g711 import Samples
from gateway.audio.resample import resample
from gateway.audio.wav_chunks import is_wav
from gateway.errors import RecordingError

RAW_SUFFIXES = {".ulaw": PCMU, ".alaw": PCMA}
"""Headerless recordings, 8 kHz."""

FRAME_MS = 20
_QUIETEST_SPEECH = 100.0
"""Level (RMS of 16-bit samples, -50 dBFS) under which nothing is speech."""
_PAUSE_MS = 200
"""A pause shorter than this is part of the speech around it."""


@dataclass(frozen=True)
class Span:
    """A part of a recording, from ``start_ms`` up to ``end_ms``."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Recording:
    """One utterance of the caller: ``audio`` in ``audio_format`` and where in it there is speech."""

    name: str
    audio: bytes
    audio_format: AudioFormat
    speech: tuple[Span, ...]
    mixed: bool = False
    """``True`` if two different voices were mixed into one, such as both sides of a recorded call."""

    @property
    def duration_ms(self) -> float:
        """The length of the recording, silence included."""
        return self.audio_format.duration_ms(len(self.audio))

    @property
    def speech_end_ms(self) -> float:
        """The end of the last speech; the end of the recording where there is none."""
        return self.speech[-1].end_ms if self.speech else self.duration_ms

    def in_format(self, audio_format: AudioFormat) -> "Recording":
        """Return the same recording in another format; speech stays where it was."""
        if audio_format == self.audio_format:
            return self
        samples = resample(g711.decode(self.audio, self.audio_format), self.audio_format.rate_hz, audio_format.rate_hz)
        return replace(self, audio=g711.encode(samples, audio_format), audio_format=audio_format)


def load_recording(path: Path | str, audio_format: AudioFormat, channel: Channel = Channel.MIX) -> Recording:
    """Read a recording from an audio file, or from raw ``.ulaw`` / ``.alaw`` of 8 kHz.

    ``channel`` is the part of a stereo recording that the caller says. Levels are kept. The content decides what a
    file is before its name does: a WAV is a WAV under any name. Raises ``RecordingError``.
    """
    path = Path(path)
    raw = RAW_SUFFIXES.get(path.suffix.lower())
    if raw and not is_wav(content := read_bytes(path)):
        audio = AudioFile(g711.decode(content, raw).reshape(-1, 1), raw.rate_hz)
    else:
        audio = read_audio(path, also=", or raw .ulaw or .alaw of 8 kHz")
    if channel is not Channel.MIX and audio.channels < 2:
        raise RecordingError(f"{path}: a recording with one channel; it has no {channel} one")
    recording = from_samples(path.name, audio.channel(channel), audio.rate_hz, audio_format)
    if not recording.audio:
        length_ms = 1000 * len(audio.samples) / audio.rate_hz
        raise RecordingError(
            f"{path}: a recording of {length_ms:.3f} ms, too short for a sample at {audio_format.rate_hz} Hz"
        )
    return replace(recording, mixed=channel is Channel.MIX and audio.has_two_sides)


def from_samples(name: str, samples: Samples, rate_hz: int, audio_format: AudioFormat) -> Recording:
    """Make a recording from samples that are already in memory."""
    converted = resample(samples, rate_hz, audio_format.rate_hz)
    speech = speech_spans(converted, audio_format.rate_hz)
    return Recording(name, g711.encode(converted, audio_format), audio_format, speech)


def frame_levels(samples: Samples, rate_hz: int) -> npt.NDArray[np.float64]:
    """Measure the level (RMS) of each 20 ms frame; a part of a frame at the end counts as one, filled with silence."""
    size = rate_hz * FRAME_MS // 1000
    padded = np.zeros(-(-samples.size // size) * size)
    padded[: samples.size] = samples
    levels: npt.NDArray[np.float64] = np.sqrt((padded.reshape(-1, size) ** 2).mean(axis=1))
    return levels


def speech_spans(samples: Samples, rate_hz: int) -> tuple[Span, ...]:
    """Find the speech: frames well above the recording's own background, short pauses bridged.

    The background is what the quietest tenth of the frames stay below; speech is 10 dB above it and no more than
    30 dB below the loudest frame. A recording that is loud throughout is speech throughout.
    """
    levels = frame_levels(samples, rate_hz)
    if not levels.size:
        return ()
    loudest, background = float(levels.max()), float(np.quantile(levels, 0.1))
    threshold = max(_QUIETEST_SPEECH, loudest * 0.03, min(background * 3, loudest * 0.3))
    return spans_of([bool(level >= threshold) for level in levels])


def spans_of(frames: list[bool], *, pause_ms: int = _PAUSE_MS) -> tuple[Span, ...]:
    """Return runs of true frames, 20 ms each, as spans; runs less than ``pause_ms`` apart are one."""
    spans: list[Span] = []
    position = 0
    for active, run in itertools.groupby(frames):
        start, position = position, position + len(list(run)) * FRAME_MS
        if not active:
            continue
        if spans and start - spans[-1].end_ms < pause_ms:
            start = spans.pop().start_ms
        spans.append(Span(start, position))
    return tuple(spans)
