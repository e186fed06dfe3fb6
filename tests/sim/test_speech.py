import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.audio.g711 import Samples, decode
from gateway.errors import RecordingError
from gateway.sim import speech
from gateway.sim.prompts import FOLDER, Prompt, prompts, read_mulaw, write_mulaw

WELCOME = "Thank you for calling Contoso. How can I help?"
UNRECORDED = "Colourless green ideas sleep furiously."


def level_db(samples: Samples) -> float:
    """RMS of the 20 ms frames that are louder than -40 dBFS, in dBFS."""
    frames = np.square(samples[: len(samples) // 160 * 160].astype(float) / 32768).reshape(-1, 160).mean(axis=1)
    return float(10 * np.log10(frames[frames > 1e-4].mean()))


@pytest.mark.parametrize("prompt", prompts(), ids=lambda prompt: prompt.file)
def test_recordings_are_audible_and_not_clipped(prompt: Prompt) -> None:
    """Every recording of the index is there, at about -20 dBFS, below full scale, and as long as its words."""
    samples = decode(read_mulaw(prompt.path), PCMU)
    assert -22 < level_db(samples) < -18
    assert np.abs(samples.astype(int)).max() < 32000
    assert 40 < len(samples) / 8 / len(prompt.text) < 130


def test_recordings_are_small() -> None:
    """All prompts together stay under 750 kB."""
    assert sum(prompt.path.stat().st_size for prompt in prompts()) < 750_000


def test_the_index_and_the_folder_agree() -> None:
    """No recording without an entry."""
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.wav")} == {
        prompt.file for prompt in prompts()
    }


def test_only_these_recordings_can_be_read(tmp_path: Path) -> None:
    """What was written is read back; another file is named in the error."""
    write_mulaw(tmp_path / "odd.wav", b"\x01\x02\x03")
    assert read_mulaw(tmp_path / "odd.wav") == b"\x01\x02\x03"
    (tmp_path / "other.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing")
    with pytest.raises(RecordingError, match=r"other\.wav: expected a mono 8 kHz"):
        read_mulaw(tmp_path / "other.wav")


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_8K, L16_16K, L16_24K], ids=str)
def test_a_recorded_prompt_in_every_format(audio_format: AudioFormat) -> None:
    """The same speech, as long and as loud, whatever format is asked for."""
    recorded = read_mulaw(FOLDER / "bot/welcome.wav")
    audio = speech.speak(WELCOME, audio_format)
    assert audio_format.duration_ms(len(audio)) == pytest.approx(PCMU.duration_ms(len(recorded)), abs=1)
    assert level_db(decode(audio, audio_format)) == pytest.approx(level_db(decode(recorded, PCMU)), abs=2.5)


def test_a_prompt_needs_no_synthesiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded text is taken from its file, line breaks and all, and the second time from memory."""
    monkeypatch.setattr(speech, "_synthesised", None)
    assert speech.speak("Are you\n still there?", PCMU) == read_mulaw(FOLDER / "bot/still_there.wav")
    assert speech.speak(WELCOME, PCMA) is speech.speak(WELCOME, PCMA)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_any_text_through_the_espeak_program() -> None:
    """A text without a recording is synthesised, and German differs from English."""
    english = speech.speak(UNRECORDED, PCMU)
    assert 1500 < PCMU.duration_ms(len(english)) < 6000
    assert level_db(decode(english, PCMU)) > -30
    assert speech.speak(UNRECORDED, PCMU, language="de-DE") != english


def test_any_text_through_the_espeak_library() -> None:
    """The library of ``espeakng-loader`` says the same; in a process of its own, it keeps global state."""
    pytest.importorskip("espeakng_loader")
    program = (
        "from gateway.sim import speech\n"
        "library = speech._espeak_library()\n"
        f"first = library.speak({UNRECORDED!r}, 'en-us+f3')\n"
        f"again = library.speak({UNRECORDED!r}, 'en-us+f3')\n"
        "print(library.rate_hz, len(first), abs(first.astype(int)).max(), len(again))"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- this file's own program
    rate_hz, size, peak, again = map(int, ran.stdout.split())
    assert 1.5 < size / rate_hz < 6
    assert peak > 3000
    assert abs(again - size) < rate_hz / 10


def test_babble_where_there_is_no_synthesiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any, a text becomes audible syllables with gaps between words, as long as the text; always the same."""
    monkeypatch.setattr(speech, "_espeak_program", lambda: None)
    monkeypatch.setattr(speech, "_espeak_library", lambda: None)
    samples, rate_hz = speech._synthesised(UNRECORDED, "en")
    assert len(samples) / rate_hz == pytest.approx(len(UNRECORDED) * 0.065, rel=0.05)
    assert -30 < level_db(samples) < -12
    assert np.array_equal(samples, speech.babble(UNRECORDED))
    quiet = [start for start in range(0, len(samples) - 160, 160) if np.abs(samples[start : start + 160]).max() == 0]
    assert sum(later - earlier > 160 for earlier, later in pairwise(quiet)) == len(UNRECORDED.split()) - 1


async def test_speech_for_an_event_loop() -> None:
    """The same bytes, without blocking the loop for a text that must be made."""
    assert await speech.spoken(WELCOME, PCMU) == speech.speak(WELCOME, PCMU)
    assert await speech.spoken(UNRECORDED, PCMU) == speech.speak(UNRECORDED, PCMU)


def test_nothing_is_said_in_no_time() -> None:
    """An empty text is no audio."""
    assert speech.speak("", PCMU) == b""
