"""The caller's latest audio, beside what was played."""

import pytest

from gateway.audio.formats import L16_16K, PCMU, AudioFormat
from gateway.call.barge_in.hearing import WINDOW_MS, Hearing
from gateway.call.speaking.kept_playback import Played
from tests.call.barge_in.sounds import bot_speech, caller_speech, frames, quieter


def heard(sound: bytes, *, played: bytes = b"", played_at: float = 0.0, format: AudioFormat = PCMU) -> Hearing:  # noqa: A002
    """Hearing after these frames, which came from 0 s on."""
    ledger = Played(format)
    if played:
        ledger.add(played_at, played)
    hearing = Hearing(format, ledger)
    for number, frame in enumerate(frames(sound), 1):
        hearing.take(frame, number * 0.02)
    return hearing


def test_the_newest_audio_is_kept_and_no_more() -> None:
    """By the length that is compared, in whatever pieces it came; silence stands for what has not come."""
    hearing = heard(bytes(range(160)) * 100)
    assert hearing.newest(20) == bytes(range(160))
    assert sum(map(len, hearing._pieces)) <= PCMU.bytes_for(WINDOW_MS) + 160
    assert heard(b"\x10" * 160).newest(40) == b"\xff" * 160 + b"\x10" * 160
    assert Hearing(L16_16K, Played(L16_16K)).newest(20) == bytes(640)


def test_an_echo_is_known_as_one() -> None:
    """The played audio comes back 300 ms later, at a tenth of its size."""
    sound = bot_speech(1.6)
    hearing = heard(b"\xff" * 2400 + quieter(sound[:-2400], 0.1), played=sound)
    assert hearing.is_echo()
    assert hearing.is_loud()


@pytest.mark.parametrize("played", [b"", bot_speech(1.6)])
def test_a_caller_is_no_echo(played: bytes) -> None:
    """The caller's own speech is none, whether the bot speaks or not."""
    hearing = heard(caller_speech(1.6), played=played)
    assert not hearing.is_echo()
    assert hearing.is_loud()


def test_a_quiet_line_is_not_loud() -> None:
    """Comfort noise, or nothing at all."""
    assert not heard(b"\xff\x7e" * 8000).is_loud()
    assert not Hearing(PCMU, Played(PCMU)).is_loud()
