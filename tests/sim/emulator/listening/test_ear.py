import numpy as np
import pytest

from gateway.audio.formats import L16_8K, PCMA, PCMU, AudioFormat
from gateway.audio.g711 import decode, encode
from gateway.audio.resample import resample
from gateway.sim.emulator.listening.ear import Ear, Onset, Pause, Sensitivity
from gateway.sim.emulator.settings.formats import INPUT_PCM16
from gateway.sim.prompts import FOLDER, read_mulaw

RECORDINGS = ("order_status", "change_delivery", "goodbye")
TELEPHONE = Sensitivity(threshold=0.5, prefix_padding_ms=400, silence_duration_ms=500, speech_duration_ms=200)


def recording(name: str, audio_format: AudioFormat = PCMU) -> bytes:
    """A recorded caller behind and before a second of silence."""
    mulaw = PCMU.silence(1000) + read_mulaw(FOLDER / "caller" / f"{name}.wav") + PCMU.silence(1000)
    return encode(resample(decode(mulaw, PCMU), 8000, audio_format.rate_hz), audio_format)


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("audio_format", [PCMU, PCMA, *INPUT_PCM16.values()], ids=str)
def test_a_recorded_caller_is_one_turn(name: str, audio_format: AudioFormat) -> None:
    """Each recording is one onset and one pause, in every format; the pauses between its words end no turn."""
    found = Ear(audio_format, TELEPHONE).feed(recording(name, audio_format))
    assert [type(one) for one in found] == [Onset, Pause]
    onset, pause = found
    assert isinstance(onset, Onset)
    assert isinstance(pause, Pause)
    assert 1300 - 400 - 60 <= onset.audio_start_ms <= 1300 - 400 + 200  # speech begins 0.3 s into the recording
    length_ms = len(recording(name)) // 8
    assert length_ms - 1300 + 500 - 250 <= pause.audio_end_ms <= length_ms - 1300 + 500 + 150


def test_the_answer_does_not_depend_on_how_audio_is_cut() -> None:
    """Frames of 20 ms, odd chunks and one large burst are found alike."""
    audio = recording("order_status")
    at_once = Ear(PCMU, TELEPHONE).feed(audio)
    for chunk in (160, 33, 4000):
        ear = Ear(PCMU, TELEPHONE)
        pieces = [ear.feed(audio[start : start + chunk]) for start in range(0, len(audio), chunk)]
        assert [found for piece in pieces for found in piece] == at_once


def test_no_pause_before_its_silence_was_received() -> None:
    """A stream that stops right behind the words leaves the turn open."""
    audio = recording("order_status")
    ear = Ear(PCMU, TELEPHONE)
    found = ear.feed(audio[: -(1000 + 300) * 8 + 100 * 8])
    assert [type(one) for one in found] == [Onset]
    assert ear.speaking


@pytest.mark.parametrize(
    ("audio_format", "octet"), [(PCMU, b"\xff"), (PCMU, b"\x7f"), (PCMA, b"\xd5"), (L16_8K, b"\x00")]
)
def test_digital_silence_is_silence(audio_format: AudioFormat, octet: bytes) -> None:
    """Neither zero of G.711 ever begins a turn."""
    assert Ear(audio_format, TELEPHONE).feed(octet * audio_format.bytes_for(5000)) == []


def test_comfort_noise_is_silence() -> None:
    """Noise at -50 dBFS, louder than a network's comfort noise, begins no turn."""
    noise = np.random.default_rng(1).normal(0, 32768 * 10 ** (-50 / 20), 80_000).astype(np.int16)
    assert Ear(PCMU, TELEPHONE).feed(encode(noise, PCMU)) == []


def test_a_click_is_no_turn() -> None:
    """60 ms of loud sound are shorter than the speech that a turn needs."""
    click = read_mulaw(FOLDER / "caller/order_status.wav")[8 * 400 : 8 * 460]
    assert Ear(PCMU, TELEPHONE).feed(PCMU.silence(500) + click + PCMU.silence(1000)) == []


def test_the_start_is_clamped_at_zero() -> None:
    """Padding cannot reach before the first sample."""
    speech = read_mulaw(FOLDER / "caller/order_status.wav")[8 * 320 :]
    (onset,) = Ear(PCMU, TELEPHONE).feed(speech[: 8 * 600])
    assert onset == Onset(0, onset.at_ms)


def test_a_longer_silence_joins_what_a_shorter_one_splits() -> None:
    """``silence_duration_ms`` decides whether two sentences are one turn."""
    audio = recording("goodbye")
    split = Ear(PCMU, Sensitivity(silence_duration_ms=120)).feed(audio)
    joined = Ear(PCMU, Sensitivity(silence_duration_ms=700)).feed(audio)
    assert len(split) > len(joined) == 2


def test_forgetting_leaves_the_clock() -> None:
    """A cleared buffer drops the utterance, not the position."""
    ear = Ear(PCMU, TELEPHONE)
    ear.feed(recording("order_status")[: 8 * 2500])
    speaking = ear.speaking
    ear.forget()
    assert (speaking, ear.speaking, ear.position_ms) == (True, False, 2500)
    ear.skip(4000)
    assert ear.position_ms == 3000
