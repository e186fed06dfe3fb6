"""Recordings of calls against what the simulated phone sent and heard."""

from pathlib import Path

import numpy as np
import pytest

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.sim.caller.keys import Press
from tests.e2e.recorded import FRAME_S, GREETING, call, ends_of_sound, offsets_s, quiet_noise, rate_s
from tests.virtual_time import in_virtual_time

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


@pytest.fixture(autouse=True)
def speaks_in_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulator speak what is unlike in each place."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", quiet_noise)


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


SECRET_LINE = """\
greeting: 1503 ms of a greeting
recording: true
tools:
  - {name: pay, description: Pays., http: {url: "http://127.0.0.1:9/"}, parameters: {card: {secret: digits, length: 4}}}
"""
SECRET_TURNS: list[dict[str, object]] = [
    {"say": "1200 ms of a question", "call": {"name": "pay"}, "after_call": "9107 ms of what follows"},
]


def test_what_is_keyed_in_confidence_is_silence_on_both_sides(tmp_path: Path) -> None:
    """Neither what the caller says with the keys nor what the bot says meanwhile is on it; before and after, all is."""
    made = in_virtual_time(
        lambda: call(
            tmp_path,
            line=SECRET_LINE,
            turns=SECRET_TURNS,
            prompts={"order_status": None},
            presses=(Press("1234", 9000), Press("5", 11_000)),
        )
    )
    times = {kind: made.time_of(kind) for kind in ("recording_paused", "recording_continued", "secure_entry_ended")}
    rate, recorded = made.rate_hz, made.recorded
    assert times["secure_entry_ended"] + 3 < times["recording_continued"]
    first, last = (round(times[kind] * rate) for kind in ("recording_paused", "recording_continued"))
    assert not np.abs(recorded[first + 1 : last - 1]).max()
    truth = made.truth[:, 1].astype(float)
    assert np.sqrt((truth[first:last] ** 2).mean()) > 500, "the bot spoke meanwhile"
    before, after = (np.abs(part).max() for part in (recorded[: first - rate // 10], recorded[last + rate // 10 :]))
    assert min(before, after) > 1000
    assert made.notes == ["recording_started", "recording_paused", "recording_continued", "recording_stopped"]


CONSENT = "recording: {consent: {ask: 2004 ms of a question, wait_s: 3}}\n"


def test_with_consent_it_begins_with_the_key(tmp_path: Path) -> None:
    """The question is not on it; what follows is, to a frame."""
    made = in_virtual_time(lambda: call(tmp_path, line=GREETING + CONSENT, presses=(Press("1", 1500),)))
    assert made.notes == ["recording_started", "recording_stopped"]
    assert made.shift < -rate_s(made, 1.4)
    for side in (0, 1):
        offsets = offsets_s(made, side, from_s=1.6)
        assert len(offsets) >= 8
        assert max(map(abs, offsets)) <= FRAME_S


@pytest.mark.parametrize("presses", [(), (Press("2", 3000),)])
def test_without_consent_there_is_no_recording(tmp_path: Path, presses: tuple[Press, ...]) -> None:
    """The caller says nothing, or presses another key; the call goes on."""
    made = in_virtual_time(
        lambda: call(tmp_path, line=GREETING + CONSENT, prompts={"order_status": None}, presses=presses)
    )
    assert made.notes == ["recording_declined"]
    assert made.path is None
    assert list(tmp_path.rglob("*.wav")) == []
    assert ends_of_sound(made.truth[:, 1], made.rate_hz)


def test_a_closed_line_records_nothing(tmp_path: Path) -> None:
    """And tells nobody that it does."""
    closed = 'recording: {announce: 1000 ms of a notice}\nhours: {open: {mon: "00:00-00:01"}, closed: {say: 900 ms}}\n'
    made = in_virtual_time(lambda: call(tmp_path, line=GREETING + closed, prompts={}))
    assert made.notes == []
    assert list(tmp_path.rglob("*.wav")) == []


def test_a_mono_recording_has_both_in_one(tmp_path: Path) -> None:
    """As loud as they were."""
    made = in_virtual_time(lambda: call(tmp_path, line=f"{GREETING}recording: {{channels: mono}}\n"))
    assert made.recorded.shape[1] == 1
    for side in (0, 1):
        assert max(map(abs, offsets_s(made, side, channel=0))) <= FRAME_S
