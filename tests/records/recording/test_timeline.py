import random
from collections.abc import Iterable

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import L16_16K, PCMA, PCMU, AudioFormat
from gateway.phone.events import Playout
from gateway.records.recording.entries import BOT, MARK_RETURNED, MARK_SENT, PAUSED, RESUMED, STOPPED, Entry
from gateway.records.recording.heard import Frames
from gateway.records.recording.timeline import Timeline

BEGAN = 500.0

Frame = tuple[None, float, bytes]
"""A frame of the caller, among entries; its time stands where theirs does."""


def noise(samples: int, audio_format: AudioFormat, seed: int = 1) -> bytes:
    """Audio that is silent nowhere."""
    loud = np.random.default_rng(seed).integers(2000, 9000, samples)
    return g711.encode(loud.astype(np.int16), audio_format)


def caller(audio: bytes, audio_format: AudioFormat, at: float = BEGAN) -> list[Frame]:
    """Frames of the caller."""
    size = audio_format.bytes_for(20)
    return [
        (None, at + number * 0.02, audio[number * size : (number + 1) * size]) for number in range(len(audio) // size)
    ]


def take_in(line: Timeline, entries: Iterable[Entry | Frame]) -> None:
    """Let the timeline take entries and frames as the writer does."""
    frames = []
    for entry in entries:
        if entry[0] is None:
            frames.append(entry)
        else:
            line.take_in(entry)
    if frames:
        audio = [frame[2] for frame in frames]
        line.hear(Frames([frame[1] for frame in frames], [len(piece) for piece in audio], bytearray(b"".join(audio))))


def sides(blocks: Iterable[bytes | bytearray], audio_format: AudioFormat) -> tuple[bytes, bytes]:
    """Left and right of a stereo recording."""
    both = np.frombuffer(b"".join(blocks), np.uint8 if audio_format.sample_bytes == 1 else np.uint16).reshape(-1, 2)
    return both[:, 0].tobytes(), both[:, 1].tobytes()


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_16K])
def test_the_caller_is_left_and_the_bot_right(audio_format: AudioFormat) -> None:
    """Silence is that of the format."""
    line = Timeline(audio_format, Playout(), "stereo", BEGAN)
    said, spoken = noise(audio_format.rate_hz, audio_format), noise(audio_format.rate_hz // 2, audio_format, 2)
    take_in(line, [*caller(said, audio_format), (BOT, BEGAN + 0.25, 0, spoken, "")])
    left, right = sides(line.rest(BEGAN + 1.5), audio_format)
    assert left == said + audio_format.silence(500)
    assert right == audio_format.silence(260) + spoken + audio_format.silence(740)


def test_it_comes_as_it_is_settled() -> None:
    """Half a second later, whatever comes meanwhile; nothing twice."""
    line, said, made = Timeline(PCMU, Playout(), "stereo", BEGAN), noise(16_000, PCMU), bytearray()
    for entry in caller(said, PCMU):
        take_in(line, [entry])
        made += b"".join(line.blocks(entry[1]))
        assert len(made) == max(0, 2 * int((entry[1] - BEGAN - 0.5) * 8000))
    made += b"".join(line.rest(BEGAN + 2))
    assert sides([bytes(made)], PCMU)[0] == said


def test_a_pause_is_silence_on_both_sides() -> None:
    """Of what came before it nothing is missing, and of what comes after it neither."""
    line, said, spoken = Timeline(PCMU, Playout(), "stereo", BEGAN), noise(24_000, PCMU), noise(24_000, PCMU, 2)
    pause: list[Entry] = [(PAUSED, BEGAN + 1, 0, b"", ""), (RESUMED, BEGAN + 2, 0, b"", "")]
    entries: list[Entry | Frame] = [*pause, *caller(said, PCMU), (BOT, BEGAN, 0, spoken, "")]
    made = []
    for entry in sorted(entries, key=lambda one: one[1]):
        take_in(line, [entry])
        made += line.blocks(entry[1])
    left, right = sides([*made, *line.rest(BEGAN + 3)], PCMU)
    assert left == said[:8000] + b"\xff" * 8000 + said[16_000:]
    assert right == b"\xff" * 80 + spoken[:7920] + b"\xff" * 8000 + spoken[15_920:23_920]


def test_a_pause_within_a_pause_changes_nothing() -> None:
    """The first one's beginning counts: what was said since then stays silence."""
    line, said = Timeline(PCMU, Playout(), "stereo", BEGAN), noise(24_000, PCMU)
    pauses: list[Entry] = [(kind, BEGAN + at, 0, b"", "") for kind, at in ((PAUSED, 1), (PAUSED, 1.5), (RESUMED, 2))]
    entries: list[Entry | Frame] = [*pauses, *caller(said, PCMU)]
    take_in(line, sorted(entries, key=lambda one: one[1]))
    left, _ = sides(line.rest(BEGAN + 3), PCMU)
    assert left == said[:8000] + b"\xff" * 8000 + said[16_000:]


def test_a_key_tone_that_jitter_delays_is_in_the_pause() -> None:
    """A frame that comes in the pause is silence, although its place is before it."""
    line, said = Timeline(PCMU, Playout(), "stereo", BEGAN), noise(16_000, PCMU)
    line.take_in((PAUSED, BEGAN + 1, 0, b"", ""))
    late = [0.3 if 0.9 <= number / 50 < 1.2 else 0.0 for number in range(100)]
    take_in(line, [(None, frame[1] + by, frame[2]) for frame, by in zip(caller(said, PCMU), late, strict=True)])
    left, _ = sides(line.rest(BEGAN + 2), PCMU)
    assert left[:7200] == said[:7200]
    assert set(left[7200:]) == {0xFF}


def test_what_was_discarded_is_not_heard() -> None:
    """The bot falls silent where the caller heard it fall silent."""
    line, spoken = Timeline(PCMU, Playout(), "stereo", BEGAN), noise(16_000, PCMU)
    for entry in ((BOT, BEGAN, 0, spoken, ""), (STOPPED, BEGAN + 0.5, 0, b"", "")):
        line.take_in(entry)
    _, right = sides(line.rest(BEGAN + 2), PCMU)
    assert right == b"\xff" * 80 + spoken[:4000] + b"\xff" * 11_920


def test_a_pause_of_hours_needs_no_memory() -> None:
    """It is made in blocks."""
    line = Timeline(PCMU, Playout(), "stereo", BEGAN)
    blocks = line.rest(BEGAN + 100)
    assert {len(block) for block in blocks} == {160_000}
    assert len(blocks) == 10


@pytest.mark.parametrize("audio_format", [PCMU, PCMA, L16_16K])
def test_mono_is_the_sum(audio_format: AudioFormat) -> None:
    """Where one side is silent, it is the other byte for byte; two who are loud stay within bounds."""
    line = Timeline(audio_format, Playout(), "mono", BEGAN)
    second = audio_format.rate_hz
    said = noise(second, audio_format)
    take_in(line, caller(said, audio_format))
    spoken = audio_format.silence(500) + noise(second // 2, audio_format, 3)
    line.take_in((BOT, BEGAN - 0.01, 0, spoken, ""))
    made = b"".join(line.rest(BEGAN + 1))
    half = audio_format.bytes_for(500)
    assert made[:half] == said[:half]
    total = g711.decode(said, audio_format).astype(int) + g711.decode(spoken, audio_format)
    loudness = g711.decode(made, audio_format)
    assert np.abs(loudness[second // 2 :] - total[second // 2 :]).max() <= 1100


def test_it_does_not_depend_on_when_it_is_asked() -> None:
    """A busy thread makes the same recording as an idle one."""
    chance, said, spoken = random.Random(3), noise(80_000, PCMU), noise(40_000, PCMU, 2)
    late, entries = 0.0, list[Entry | Frame]()
    for frame in caller(said, PCMU):
        late = max(late, frame[1] + chance.uniform(0, 0.1))
        entries.append((None, late, frame[2]))
    entries += [(BOT, BEGAN + number * 1.1, number * 4000, spoken[number * 4000 :][:4000], "") for number in range(9)]
    entries += [(STOPPED, BEGAN + 2.5, 0, b"", ""), (PAUSED, BEGAN + 4, 0, b"", ""), (RESUMED, BEGAN + 6, 0, b"", "")]
    entries.sort(key=lambda one: one[1])
    made = []
    for often in (1, 7, 1000):
        line, blocks = Timeline(PCMU, Playout(), "stereo", BEGAN), []
        for begin in range(0, len(entries), often):
            some = entries[begin : begin + often]
            take_in(line, some)
            blocks += line.blocks(some[-1][1])
        made.append(b"".join([*blocks, *line.rest(BEGAN + 10)]))
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("ppm", [-50, 0, 50])
def test_after_65_minutes_both_sides_are_where_they_were_heard(ppm: int) -> None:
    """To a frame, in each minute: a phone whose clock is not ours, marks that come late, replies of 3 s."""
    line, chance, rate = Timeline(PCMU, Playout(), "stereo", BEGAN), random.Random(7), 8000
    drift, marked, quiet = 1 + ppm / 1e6, b"\x05" * 160, b"\xfe" * 160
    entries: list[Entry | Frame] = []
    for number in range(65 * 60 * 50):
        is_marked = number % 3000 == 1500
        entries.append((None, BEGAN + number * 0.02 * drift, marked if is_marked else quiet))
    spoken, heard_at = b"\x07" + b"\x70" * 1599, []
    for minute in range(65):
        begun = BEGAN + minute * 60 + 10.013
        heard_at.append(begun + 0.12 - BEGAN)
        for piece in range(15):
            sent, place, name = begun + max(0.0, piece * 0.2 - 0.4), (minute * 15 + piece) * 1600, f"m{minute}-{piece}"
            back = begun + 0.12 + (piece + 1) * 0.2 * drift + chance.random() * 0.01
            entries += [(BOT, sent, place, spoken, ""), (MARK_SENT, sent, 0, b"", name)]
            entries.append((MARK_RETURNED, back, 0, b"", name))
    entries.sort(key=lambda entry: entry[1])
    made = bytearray()
    for begin in range(0, len(entries), 50):
        some = entries[begin : begin + 50]
        take_in(line, some)
        made += b"".join(line.blocks(some[-1][1]))
    left, right = sides([bytes(made), *line.rest(BEGAN + 65 * 60)], PCMU)
    assert len(left) == 65 * 60 * rate
    for minute in range(65):
        said = (minute * 3000 + 1500) * 160 * drift
        assert abs(left.index(b"\x05" * 40, max(0, round(said) - 4000)) - said) <= 160
        heard = heard_at[minute] * rate
        assert abs(right.index(b"\x07", max(0, round(heard) - 4000)) - heard) <= 160
