"""Playback that keeps what was played, with the time at which it was heard."""

from gateway.audio.formats import L16_8K, PCMU
from gateway.call.speaking.kept_playback import KEPT_S, KeptPlayback, Played
from gateway.phone.commands import PlayAudio
from gateway.phone.events import Playout


def test_what_was_heard_between_two_times() -> None:
    """Silence where nothing was played."""
    played = Played(PCMU)
    played.add(1.0, b"\x01" * 80)
    played.add(1.02, b"\x02" * 80)
    assert played.between(0.99, 1.04) == b"\xff" * 80 + b"\x01" * 80 + b"\xff" * 80 + b"\x02" * 80 + b"\xff" * 80
    assert played.between(1.005, 1.006) == b"\x01" * 8
    assert played.between(5.0, 5.01) == b"\xff" * 80
    assert len(Played(L16_8K).between(0.0, 0.10001)) == 1600


def test_what_was_discarded_is_forgotten() -> None:
    """A part of a piece as well."""
    played = Played(PCMU)
    played.add(1.0, b"\x01" * 160)
    played.add(1.02, b"\x02" * 160)
    played.cut(1.01)
    assert played.between(1.0, 1.04) == b"\x01" * 80 + b"\xff" * 240
    played.cut(0.0)
    assert played.between(1.0, 1.04) == b"\xff" * 320


def test_what_was_heard_long_ago_is_forgotten() -> None:
    """So that a long call keeps no more than a short one."""
    played = Played(PCMU)
    for number in range(1000):
        played.add(number * 0.02, b"\x01" * 160)
    assert len(played._pieces) <= KEPT_S / 0.02 + 2


def test_playback_notes_what_it_sends_and_when_it_is_heard() -> None:
    """The lead is heard later than it is sent; what a stop discards is not heard."""
    playback = KeptPlayback(PCMU, Playout(returns_marks=False))
    commands = playback.add("r", b"\x01" * 8000, 10.0)
    sent = sum(len(command.audio) for command in commands if isinstance(command, PlayAudio))
    assert playback.played.between(10.0, 11.0) == b"\x01" * sent + b"\xff" * (8000 - sent)
    playback.stop(10.1)
    assert playback.played.between(10.0, 11.0) == b"\x01" * 800 + b"\xff" * 7200


def test_what_cannot_be_discarded_stays() -> None:
    """A provider without clear plays what it has."""
    playback = KeptPlayback(PCMU, Playout(returns_marks=False, clears=False))
    commands = playback.add("r", b"\x01" * 8000, 10.0)
    sent = sum(len(command.audio) for command in commands if isinstance(command, PlayAudio))
    playback.stop(10.1)
    assert playback.played.between(10.0, 11.0) == b"\x01" * sent + b"\xff" * (8000 - sent)
