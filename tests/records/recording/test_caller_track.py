import random

import pytest

from gateway.audio.formats import L16_16K, PCMU, AudioFormat
from gateway.records.recording.caller_track import CallerTrack
from gateway.records.recording.heard import Frames

RATE = PCMU.rate_hz
FRAME = 160
HOUR_FRAMES = 65 * 60 * 50


def speech(samples: int, seed: int = 1) -> bytes:
    """Audio in which no two places are alike."""
    return random.Random(seed).randbytes(samples)


def frames_of(arrivals: list[tuple[float, bytes]]) -> Frames:
    """Frames with their times, as they are taken from what waits."""
    at, pieces = zip(*arrivals, strict=True)
    return Frames(at, [len(piece) for piece in pieces], bytearray(b"".join(pieces)))


def placed(
    arrivals: list[tuple[float, bytes]],
    *,
    upto_s: float,
    audio_format: AudioFormat = PCMU,
    at_once: int = 1,
) -> bytes:
    """What stands on the track when audio arrives at these times, in seconds; taken as the writer does."""
    track, made, taken = CallerTrack(audio_format), bytearray(), 0
    for number in range(0, len(arrivals), at_once):
        some = arrivals[number : number + at_once]
        track.add(frames_of(some))
        at_s = some[-1][0]
        if (upto := int((at_s - 0.5) * audio_format.rate_hz)) > taken + audio_format.rate_hz // 4:
            made += track.take(upto)
            taken = upto
    return bytes(made + track.take(round(upto_s * audio_format.rate_hz)))


def frames(audio: bytes, begin_s: float, frame_s: float = 0.02, size: int = FRAME) -> list[tuple[float, bytes]]:
    """Audio in frames, each of which arrives on time."""
    pieces = [audio[at : at + size] for at in range(0, len(audio), size)]
    return [(begin_s + number * frame_s, piece) for number, piece in enumerate(pieces)]


def test_a_frame_stands_where_it_arrived() -> None:
    """Silence before and behind it."""
    audio = speech(8000)
    track = placed(frames(audio, 1.25), upto_s=4)
    assert track == b"\xff" * 10_000 + audio + b"\xff" * 14_000


def test_of_a_longer_frame_the_last_20_ms_do() -> None:
    """A provider sends a frame of 100 ms once it has all of it."""
    audio = speech(8000)
    assert placed(frames(audio, 1.08, 0.1, 800), upto_s=3).index(audio) == 8000


def test_audio_from_before_the_recording_is_not_on_it() -> None:
    """The part of a frame that belongs to it is."""
    audio = speech(1600)
    assert placed([(0.05, audio[:800]), (0.15, audio[800:])], upto_s=0.5)[:1360] == audio[240:]


def test_jitter_is_taken_out() -> None:
    """Frames stay joined, where the earliest of them says."""
    audio, chance = speech(RATE * 20), random.Random(5)
    late, arrivals = 0.0, []
    for at, piece in frames(audio, 1.0):
        late = max(at + chance.uniform(0, 0.3) ** 2, late)
        arrivals.append((late, piece))
    track = placed(arrivals, upto_s=30)
    at = track.index(audio[:FRAME])
    assert abs(at - RATE) <= RATE * 0.01
    assert track[at : at + len(audio)] == audio


def test_a_pause_of_the_stream_is_silence() -> None:
    """What follows has its own place."""
    one, other = speech(8000), speech(8000, 2)
    track = placed([*frames(one, 0.5), *frames(other, 4.0)], upto_s=6)
    assert track.index(one) == 4000
    assert track.index(other) == 32_000
    assert set(track[12_000:32_000]) == {0xFF}


def test_a_burst_after_a_pause_belongs_before_its_arrival() -> None:
    """The frames were late together; what is written already keeps its silence."""
    audio = speech(RATE * 3)
    arrivals = [(at if at < 1.0 or at >= 1.45 else 1.45, piece) for at, piece in frames(audio, 0.0)]
    assert placed(arrivals, upto_s=3) == audio


@pytest.mark.parametrize("at_once", [7, 22, 1000])
def test_frames_that_are_taken_at_once_stand_where_each_alone_does(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usual ones, with jitter and a clock that is not ours, and others: a pause, a burst, a long and a short one."""
    chance, audio, late = random.Random(11), speech(RATE * 12), 0.0
    arrivals: list[tuple[float, bytes]] = []
    for at, piece in frames(audio, 0.3, 0.02004):
        late = max(late, at + chance.uniform(0, 0.2) ** 2 + (0.45 if 4 < at < 4.3 else 0) + (3 if at > 8 else 0))
        arrivals.append((late, piece))
    arrivals[100:105] = [(arrivals[104][0], b"".join(piece for _, piece in arrivals[100:105]))]
    arrivals[300] = (arrivals[300][0], arrivals[300][1][:80])
    together = placed(arrivals, upto_s=20, at_once=at_once)
    monkeypatch.setattr(CallerTrack, "_add_run", lambda *_: False)
    assert placed(arrivals, upto_s=20, at_once=at_once) == together


@pytest.mark.parametrize("ppm", [-100, -20, 0, 20, 100])
def test_after_an_hour_each_frame_is_where_it_was_said(ppm: int) -> None:
    """A phone whose clock is not ours; a whole number of samples a second is said aloud once a minute."""
    track, said = CallerTrack(PCMU), []
    quiet, marked, taken, found = b"\xfe" * FRAME, b"\x05" * FRAME, 0, []
    waiting: list[tuple[float, bytes]] = []
    for number in range(HOUR_FRAMES):
        at = number * FRAME * (1 + ppm / 1e6)
        is_marked = number % 3000 == 1500
        waiting.append((at / RATE, marked if is_marked else quiet))
        if is_marked:
            said.append(at)
        if number % 20 == 19:
            track.add(frames_of(waiting))
            waiting.clear()
        if number % 500 == 499:
            upto = int(at) - 4000
            if (where := track.take(upto).find(b"\x05" * 40)) >= 0:
                found.append(taken + where)
            taken = upto
    assert len(found) == len(said) == 65
    assert max(abs(one - other) for one, other in zip(found, said, strict=True)) <= FRAME / 2


def test_audio_that_is_ahead_of_time_is_let_go() -> None:
    """More than anybody can say."""
    flood = [(1.0 + number / 1000, bytes([number % 251]) * FRAME) for number in range(500)]
    assert len(placed(flood, upto_s=3)) == RATE * 3


def test_linear_audio_stays_in_whole_samples() -> None:
    """Where silence is put before it, and where a part is cut off."""
    audio = speech(6400)
    track = placed(frames(audio, 0.0301, size=640), upto_s=1, audio_format=L16_16K)
    assert track.index(audio) % 2 == 0
    assert abs(track.index(audio) // 2 - 0.0301 * 16_000) <= 1
