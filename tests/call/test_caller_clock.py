"""The caller's audio on the call's clock: what is filled in, what is let go, and what is too much."""

import random

import pytest

from gateway.audio.formats import L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.call.caller_clock import (
    AHEAD_LIMIT_S,
    BURST_S,
    FILL_LIMIT_S,
    JITTER_S,
    KEY_S,
    LATENESS_S,
    PIECE_MS,
    STEP_S,
    CallerClock,
)

FRAME_S = 0.02
START = 1000.0


class Stream:
    """A phone's frames at the moments that the test says, and what the service gets of them."""

    def __init__(self, audio_format: AudioFormat = PCMU) -> None:
        self.format = audio_format
        self.clock = CallerClock(audio_format, START)
        self.now = START
        self.passed = 0
        self.let_go = 0
        self.silences: list[bytes] = []

    def frames(self, number: int, *, every_s: float = FRAME_S) -> None:
        """So many frames, one behind the other; ``every_s`` 0 is a burst."""
        for _ in range(number):
            self.wait(every_s)
            size = self.format.bytes_for(20)
            if self.clock.count(size, self.now):
                self.passed += size
            else:
                self.let_go += size

    def wait(self, seconds: float) -> None:
        """Meet every deadline on the way."""
        until = self.now + seconds
        while (due := self.clock.next_deadline()) <= until:
            self.now = due
            if silence := self.clock.on_deadline(self.now):
                self.silences.append(silence)
            assert self.clock.next_deadline() > self.now
        self.now = until

    @property
    def filled_s(self) -> float:
        """Silence that was filled in."""
        return self.format.duration_ms(sum(map(len, self.silences))) / 1000

    @property
    def heard_s(self) -> float:
        """All that the service got."""
        return self.filled_s + self.format.duration_ms(self.passed) / 1000

    @property
    def elapsed_s(self) -> float:
        """Since the call began."""
        return self.now - START


@pytest.mark.parametrize("ppm", [-300, 0, 300])
def test_frames_in_time_are_all_there_is(ppm: int) -> None:
    """Half an hour of a phone whose clock is a little off: nothing is filled in and nothing let go."""
    stream = Stream()
    stream.frames(90_000, every_s=FRAME_S * (1 + ppm / 1e6))
    assert (stream.silences, stream.let_go) == ([], 0)


def test_jitter_is_left_alone() -> None:
    """Gaps up to the limit, each made up by what comes behind it."""
    stream, chance = Stream(), random.Random(7)
    for _ in range(200):
        stalled = chance.randrange(1, int(JITTER_S / FRAME_S))
        stream.wait(stalled * FRAME_S)
        stream.frames(stalled, every_s=0.0)
        stream.frames(chance.randrange(50))
    assert (stream.silences, stream.let_go) == ([], 0)


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_16K, L16_24K], ids=str)
def test_a_pause_is_filled_as_it_goes_on(audio_format: AudioFormat) -> None:
    """Its first part at once when it is known for one, then pieces; to the sample, in the codec's own silence."""
    stream = Stream(audio_format)
    stream.frames(50)
    stream.wait(10.0)
    assert stream.let_go == 0
    assert stream.heard_s == pytest.approx(stream.elapsed_s, abs=STEP_S)
    assert len(stream.silences[0]) == audio_format.bytes_for(int((JITTER_S + FRAME_S) * 1000))
    assert max(len(silence) for silence in stream.silences[1:]) <= audio_format.bytes_for(int(STEP_S * 1000)) + 2
    assert set(b"".join(stream.silences)) == set(audio_format.silence(20))
    assert all(len(silence) % audio_format.sample_bytes == 0 for silence in stream.silences)


def test_long_pieces_are_no_pauses() -> None:
    """A phone that gathers a second of audio before it sends: the next piece may take as long, and some jitter."""
    clock, chance, now = CallerClock(PCMU, START), random.Random(5), START
    clock.count(PCMU.bytes_for(1000), now)
    for number in range(1, 100):
        now = START + number + chance.uniform(-0.1, 0.2)
        assert clock.next_deadline() > now
        assert clock.count(PCMU.bytes_for(1000), now)


def test_long_pieces_behind_a_pause() -> None:
    """A word that was gathered for a second comes when its time was filled already, and is passed on all the same."""
    stream = Stream()
    for _ in range(5):
        stream.wait(10.0)
        for _ in range(4):
            stream.wait(1.0)
            assert stream.clock.count(PCMU.bytes_for(1000), stream.now)


def test_a_phone_that_never_sends() -> None:
    """Muted from the first moment on: the service hears silence all the same."""
    stream = Stream()
    stream.wait(60.0)
    assert stream.heard_s == pytest.approx(60.0, abs=STEP_S)


def test_time_does_not_drift() -> None:
    """A hundred words with pauses between: silence and audio together last as long as the call."""
    stream, chance = Stream(), random.Random(3)
    for _ in range(100):
        stream.frames(chance.randrange(1, 200))
        stream.wait(chance.uniform(0.5, 6.0))
    assert stream.let_go == 0
    assert stream.heard_s == pytest.approx(stream.elapsed_s, abs=JITTER_S)


@pytest.mark.parametrize("stalled_s", [1, 3, 12])
def test_a_burst_behind_a_pause_does_not_double_the_time(stalled_s: int) -> None:
    """What comes late was silence already: only as much of it passes as a jitter may be ahead."""
    stream = Stream()
    stream.frames(100)
    stream.wait(stalled_s)
    stream.frames(50 * stalled_s, every_s=0.0)
    assert stream.heard_s == pytest.approx(stream.elapsed_s, abs=JITTER_S + FRAME_S + 0.001)
    stream.frames(500)
    assert stream.heard_s == pytest.approx(stream.elapsed_s, abs=JITTER_S + 0.03)
    stream.wait(5.0)
    assert stream.heard_s == pytest.approx(stream.elapsed_s, abs=STEP_S)


def test_the_next_words_are_never_let_go() -> None:
    """A phone that suppresses silence sends the beginning of a word, which it kept, at once."""
    stream = Stream()
    for _ in range(20):
        stream.wait(3.0)
        stream.frames(10, every_s=0.0)
        stream.frames(60)
    assert stream.let_go == 0


def test_a_burst_is_over_once_audio_comes_in_time() -> None:
    """Only what comes right behind a pause is late; a jitter a while later is one like any other."""
    stream = Stream()
    stream.wait(5.0)
    stream.frames(int(BURST_S / FRAME_S) + 2)
    stream.wait(0.36)
    stream.frames(36, every_s=0.0)
    assert stream.let_go == 0


def test_a_process_that_stood_still_reads_what_waits_first() -> None:
    """Its own lateness is no pause: the frames that came meanwhile are all passed on."""
    stream = Stream()
    stream.frames(10)
    stream.now += 3.0
    assert stream.clock.on_deadline(stream.now) == b""
    assert stream.clock.next_deadline() > stream.now
    stream.frames(150, every_s=0.0)
    stream.frames(100)
    assert (stream.silences, stream.let_go) == ([], 0)


def test_a_process_that_stood_still_during_a_pause() -> None:
    """Nothing came meanwhile: silence is made up, but no more of it at once than the limit."""
    stream = Stream()
    stream.frames(10)
    stream.now += 60.0
    assert stream.clock.on_deadline(stream.now) == b""
    stream.wait(0.1)
    assert PCMU.duration_ms(len(stream.silences[0])) == FILL_LIMIT_S * 1000
    stream.wait(1.0)
    assert stream.filled_s == pytest.approx(FILL_LIMIT_S + 1.0, abs=0.2)


def test_nobody_speaks_faster_than_real_time() -> None:
    """Ten seconds more than the call has lasted are taken, and then it is a flood."""
    stream = Stream()
    stream.frames(500)
    stream.frames(int(AHEAD_LIMIT_S / FRAME_S) - 1, every_s=0.0)
    assert stream.let_go == 0
    stream.frames(2, every_s=0.0)
    assert stream.clock.is_flooded
    assert stream.passed <= PCMU.bytes_for(20_000)


def test_tiny_pieces_are_a_flood_too() -> None:
    """Each piece is a message to the service, however short it is; those of providers are of 20 ms."""
    clock, passed = CallerClock(PCMU, START), 0
    while clock.count(1, START + 1.0):
        passed += 1
    assert clock.is_flooded
    assert passed == 11_000 / PIECE_MS


def test_a_backlog_is_no_flood() -> None:
    """Whatever waited in the network for a minute comes at once: it is not more than real time."""
    stream = Stream()
    stream.wait(60.0)
    stream.frames(3000, every_s=0.0)
    assert not stream.clock.is_flooded
    assert stream.heard_s <= stream.elapsed_s + JITTER_S + FRAME_S


def test_nobody_presses_keys_so_fast() -> None:
    """Keys have a length too."""
    clock = CallerClock(PCMU, START)
    for number in range(int(AHEAD_LIMIT_S / KEY_S)):
        clock.count_key(START)
        assert not clock.is_flooded, number
    clock.count_key(START)
    assert clock.is_flooded


def test_a_single_sample_that_is_missing_is_filled_in() -> None:
    """Silence is what is missing, however short that is: of a phone that was ahead, a piece of one byte comes last."""
    clock = CallerClock(PCMU, START)
    for size in (*[160] * 50, 1):
        clock.count(size, START)
    assert clock.next_deadline() == START + 1 / 8000 + JITTER_S
    assert clock.on_deadline(clock.next_deadline()) == b"\xff"


def test_late_audio_is_let_go_for_as_long_as_silence_stands_in_its_place() -> None:
    """A second was filled in; of three seconds that come at once behind it one is let go, and no more."""
    stream = Stream()
    stream.frames(50)
    stream.wait(1.0)
    stream.frames(150, every_s=0.0)
    assert stream.filled_s == pytest.approx(1.0, abs=2 * JITTER_S)
    assert stream.let_go / 8000 == pytest.approx(stream.filled_s, abs=FRAME_S)


@pytest.mark.parametrize(("late_s", "is_filled"), [(LATENESS_S, True), (LATENESS_S + 0.001, False)])
def test_who_looks_too_late_looks_once_more_before_anything_is_filled_in(late_s: float, is_filled: bool) -> None:
    """Audio may have come meanwhile, and wait: up to the bound, that bound included, it is filled in at once."""
    clock = CallerClock(PCMU, START)
    clock.count(160, START)
    assert bool(clock.on_deadline(clock.next_deadline() + late_s)) is is_filled
