import random

import pytest

from gateway.audio.formats import L16_24K, PCMU
from gateway.phone.events import Playout
from gateway.records.recording.bot_track import BotTrack

RATE = PCMU.rate_hz
TICK = 160
LATER = TICK // 2
"""A phone plays half a tick later than it could, on average."""


def speech(samples: int, seed: int = 1) -> bytes:
    """Audio in which no two places are alike."""
    return random.Random(seed).randbytes(samples)


def test_what_finds_the_phone_silent_is_heard_at_once() -> None:
    """And what is sent meanwhile is heard behind it, without a gap."""
    track, audio = BotTrack(PCMU, Playout()), speech(3200)
    track.sent(1000, 0, audio[:1600])
    track.sent(1700, 1600, audio[1600:])
    assert track.take(8000) == b"\xff" * (1000 + LATER) + audio + b"\xff" * (8000 - 1000 - LATER - 3200)


def test_a_mark_says_when_it_was_heard() -> None:
    """The provider's own delay is in it."""
    track, audio = BotTrack(PCMU, Playout()), speech(3200)
    track.sent(1000, 0, audio[:160])
    track.mark_sent(1000, "m")
    track.sent(1000, 160, audio[160:])
    track.mark_returned(1000 + 160 + 900, "m")
    assert track.take(16_000).index(audio) == 1900 + LATER


def test_one_late_mark_moves_nothing() -> None:
    """Others that follow were in time."""
    track, audio = BotTrack(PCMU, Playout()), speech(4800)
    for number in range(3):
        track.sent(0, number * 1600, audio[number * 1600 : (number + 1) * 1600])
        track.mark_sent(0, f"m{number}")
    for number, late in enumerate((0, 700, 10)):
        track.mark_returned((number + 1) * 1600 + late, f"m{number}")
    assert track.take(16_000)[LATER : LATER + 4800] == audio


def test_a_phone_that_ran_dry_leaves_a_gap() -> None:
    """All marks behind it are late."""
    track, audio = BotTrack(PCMU, Playout()), speech(4800)
    for number, late in enumerate((0, 800, 800)):
        track.sent(number * 1600, number * 1600, audio[number * 1600 : (number + 1) * 1600])
        track.mark_sent(number * 1600, f"m{number}")
        track.mark_returned((number + 1) * 1600 + late, f"m{number}")
    heard = track.take(16_000)
    assert heard[LATER : LATER + 1600] == audio[:1600]
    assert heard.index(audio[1600:]) == LATER + 1600 + 800


def test_a_mark_faster_than_sound_is_not_believed() -> None:
    """Audio cannot be heard before it was sent."""
    track, audio = BotTrack(PCMU, Playout()), speech(8000)
    track.sent(1000, 0, audio)
    track.mark_sent(1000, "m")
    track.mark_returned(1100, "m")
    assert track.take(16_000).index(audio) == 1000 + LATER


@pytest.mark.parametrize("size", [8000, 160, 1999])
def test_what_is_discarded_is_not_heard(size: int) -> None:
    """Up to the moment it was, in whatever pieces it was sent; the next words begin anew."""
    track, audio, later = BotTrack(PCMU, Playout()), speech(8000), speech(800, 2)
    for position in range(0, len(audio), size):
        track.sent(1000, position, audio[position : position + size])
    track.stopped(3000)
    track.sent(5000, 8000, later)
    heard = track.take(16_000)
    assert heard[1000 + LATER : 3000 + LATER] == audio[:2000]
    assert set(heard[3000 + LATER : 5000 + LATER]) == {0xFF}
    assert heard[5000 + LATER :].startswith(later)


def test_what_is_on_its_way_is_heard_although_it_is_discarded() -> None:
    """The round trip, measured by a mark with nothing before it."""
    track, audio = BotTrack(PCMU, Playout()), speech(8000)
    track.mark_sent(1000, "probe")
    track.sent(1000, 0, audio)
    track.mark_returned(1400, "probe")
    track.stopped(3000)
    assert track.take(16_000)[1000 + LATER : 3400 + LATER].rstrip(b"\xff") == audio[:2400].rstrip(b"\xff")


def test_a_mark_of_discarded_audio_says_nothing() -> None:
    """A provider returns all of them when it discards."""
    track, later = BotTrack(PCMU, Playout()), speech(1600, 2)
    track.sent(1000, 0, speech(8000))
    track.mark_sent(1000, "old")
    track.stopped(3000)
    track.mark_returned(3050, "old")
    track.sent(3100, 8000, later)
    assert track.take(16_000).index(later) == 3100 + LATER


@pytest.mark.parametrize("cut", [1, 3, 7])
def test_linear_audio_is_cut_between_samples(cut: int) -> None:
    """Whatever the moment is."""
    track, audio = BotTrack(L16_24K, Playout()), speech(9600)
    track.sent(100.25, 0, audio)
    track.stopped(2000 + cut / 3)
    heard = track.take(9600)
    assert len(heard) == 2 * 9600
    at = heard.index(audio[:100])
    assert at % 2 == 0
    kept = heard[at:].rstrip(b"\0")
    assert audio.startswith(kept[: len(kept) // 2 * 2])


def test_audio_that_was_lost_leaves_its_time() -> None:
    """The tap had no room for it."""
    track, audio = BotTrack(PCMU, Playout()), speech(4800)
    track.sent(0, 0, audio[:1600])
    track.sent(400, 3200, audio[3200:])
    heard = track.take(8000)
    assert heard[LATER : LATER + 1600] == audio[:1600]
    assert heard.index(audio[3200:]) == LATER + 3200
