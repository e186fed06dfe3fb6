"""Recordings that become a caller."""

from pathlib import Path

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.audio_file import Channel
from gateway.audio.formats import L16_16K, PCMA, PCMU, AudioFormat
from gateway.audio.g711 import Samples
from gateway.audio.wav import wav_bytes, write_wav
from gateway.errors import RecordingError
from gateway.sim.caller.recording import Span, from_samples, load_recording, spans_of, speech_spans


def speech(rate_hz: int, *parts_ms: int, level: int = 8_000, noise: int = 0) -> Samples:
    """Silence and speech-like tone in turn, beginning with silence; ``noise`` lies under all of it."""
    parts = []
    for index, part_ms in enumerate(parts_ms):
        time = np.arange(rate_hz * part_ms // 1000) / rate_hz
        parts.append(np.sin(2 * np.pi * 300 * time) * level * (index % 2))
    samples = np.concatenate(parts)
    samples += np.random.default_rng(7).normal(0, noise, samples.size) if noise else 0
    return samples.astype(np.int16)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("audio_format", [PCMU, PCMA])
def test_a_wav_of_any_rate_becomes_the_call_s_format(tmp_path: Path, rate_hz: int, audio_format: AudioFormat) -> None:
    """Stereo, too: length, level and the place of the speech stay."""
    samples = speech(rate_hz, 400, 600, 500)
    write_wav(tmp_path / "order.wav", np.stack([samples, samples], axis=1), rate_hz)
    recording = load_recording(tmp_path / "order.wav", audio_format)
    assert recording.name == "order.wav"
    assert recording.duration_ms == pytest.approx(1_500, abs=1)
    assert recording.speech[0].start_ms == pytest.approx(400, abs=20)
    assert recording.speech_end_ms == pytest.approx(1_000, abs=20)
    assert g711.decode(recording.audio, audio_format).max() == pytest.approx(8_000, rel=0.06)


def test_raw_g711_is_taken_as_it_is(tmp_path: Path) -> None:
    """A raw file in the call's own format is sent byte by byte; in the other one it is converted."""
    audio = g711.encode(speech(8_000, 100, 300), PCMU)
    (tmp_path / "order.ulaw").write_bytes(audio)
    (tmp_path / "order.ALAW").write_bytes(g711.encode(speech(8_000, 100, 300), PCMA))
    assert load_recording(tmp_path / "order.ulaw", PCMU).audio == audio
    converted = load_recording(tmp_path / "order.ALAW", PCMU)
    assert converted.audio_format == PCMU
    assert converted.duration_ms == 400


def test_a_wav_with_another_suffix_is_still_a_wav(tmp_path: Path) -> None:
    """The content decides, or a header would be heard as a click."""
    write_wav(tmp_path / "order.ulaw", speech(8_000, 100, 300), 8_000)
    assert load_recording(tmp_path / "order.ulaw", PCMU).duration_ms == 400


def test_a_recording_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    """One sample at a high rate is no sample at the call's."""
    write_wav(tmp_path / "click.wav", np.ones(1, np.int16), 48_000)
    with pytest.raises(RecordingError, match=r"click.wav: a recording of 0.021 ms, too short for a sample at 8000 Hz"):
        load_recording(tmp_path / "click.wav", PCMU)


def test_a_clipped_recording_is_left_as_it_is(tmp_path: Path) -> None:
    """Full scale stays full scale."""
    samples = np.where(np.arange(8_000) // 40 % 2, 32_767, -32_768).astype(np.int16)
    write_wav(tmp_path / "loud.wav", samples, 8_000)
    decoded = g711.decode(load_recording(tmp_path / "loud.wav", PCMU).audio, PCMU)
    assert set(np.abs(decoded.astype(int))) == {32_124}


@pytest.mark.parametrize("channel", list(Channel))
def test_one_side_of_a_recorded_call_can_be_the_caller(tmp_path: Path, channel: Channel) -> None:
    """The left and the right channel say their own; mixed they say both, which the recording tells."""
    left, right = speech(8_000, 100, 400, 900), speech(8_000, 800, 400, 200)
    write_wav(tmp_path / "call.wav", np.stack([left, right], axis=1), 8_000)
    recording = load_recording(tmp_path / "call.wav", PCMU, channel)
    spans = {Channel.LEFT: [(100, 500)], Channel.RIGHT: [(800, 1_200)], Channel.MIX: [(100, 500), (800, 1_200)]}
    assert [(span.start_ms, span.end_ms) for span in recording.speech] == spans[channel]
    assert recording.mixed is (channel is Channel.MIX)


@pytest.mark.parametrize("name", ["mono.wav", "mono.ulaw"])
def test_a_recording_with_one_channel_has_no_other(tmp_path: Path, name: str) -> None:
    """Whoever asks for a side of it has taken the wrong file."""
    content = wav_bytes(speech(8_000, 100, 300), 8_000)
    (tmp_path / name).write_bytes(content if name.endswith("wav") else content[44:])
    with pytest.raises(RecordingError, match="a recording with one channel; it has no right one"):
        load_recording(tmp_path / name, PCMU, Channel.RIGHT)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("order.mp3", b"ID3\x03", "expected WAV, FLAC, Ogg, MP3 or AIFF, or raw .ulaw or .alaw of 8 kHz"),
        ("order", b"what is this", "not a recording that can be read: it starts with b'what is this'"),
        ("order.ulaw", b"", "an empty file"),
        ("order.wav", b"\x00" * 64, "not a recording that can be read"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """One line that names the file and what was expected."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=message) as caught:
        load_recording(tmp_path / name, PCMU)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")


def test_a_recording_can_be_had_in_another_format() -> None:
    """As long, as loud, its speech where it was; in its own it is the same."""
    spoken = np.concatenate([np.zeros(800), np.sin(np.arange(4_000) * 0.3) * 8_000]).astype(np.int16)
    recording = from_samples("tone", spoken, 8_000, PCMU)
    wide = recording.in_format(L16_16K)
    assert recording.in_format(PCMU) is recording
    assert (wide.audio_format, wide.duration_ms, wide.speech) == (L16_16K, 600, recording.speech)
    assert np.abs(g711.decode(wide.audio, L16_16K).astype(int)).max() == pytest.approx(8_000, rel=0.05)


def test_speech_is_found_in_noise() -> None:
    """The threshold stands on the recording's own background."""
    spans = speech_spans(speech(8_000, 600, 1_000, 800, 400, 600, noise=300), 8_000)
    assert spans == (Span(600, 1_600), Span(2_400, 2_800))


def test_silence_holds_no_speech_and_a_call_all_of_it() -> None:
    """A silent recording has no span; one that is loud throughout is one span."""
    silent = from_samples("silent", speech(8_000, 1_000), 8_000, PCMU)
    assert silent.speech == ()
    assert silent.speech_end_ms == 1_000
    assert speech_spans(speech(8_000, 0, 1_000), 8_000) == (Span(0, 1_000),)


def test_short_pauses_do_not_split_speech() -> None:
    """A run of frames ends where the pause is long enough."""
    frames = [False] * 5 + [True] * 10 + [False] * 9 + [True] * 5 + [False] * 10 + [True]
    assert spans_of(frames) == (Span(100, 580), Span(780, 800))
