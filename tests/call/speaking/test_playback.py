"""What the caller hears, and when: against a phone that plays 20 ms a tick."""

import itertools
import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audio.formats import L16_16K, PCMU
from gateway.call.speaking.playback import MARK_GRACE_S, Playback
from gateway.call.speaking.replies import HeardReply
from gateway.phone.commands import PhoneCommand, PlayAudio, SendMark, StopPlayback
from gateway.phone.events import Playout

FRAME = 160


class Phone:
    """A phone that plays a frame at every tick of 20 ms and returns marks when their audio has been played."""

    def __init__(self, playback: Playback, *, phase: float = 0.0, delay: float = 0.0) -> None:
        self.playback = playback
        self.now = 0.0
        self.tick_at = phase
        self.delay = delay
        self.queue: deque[bytes | str] = deque()
        self.on_the_way: list[tuple[float, PhoneCommand]] = []
        self.played = bytearray()
        self.sent: list[PhoneCommand] = []
        self.heard: list[HeardReply] = []

    def take(self, commands: list[PhoneCommand]) -> None:
        self.sent += commands
        self.on_the_way += [(self.now + self.delay, command) for command in commands]

    def run(self, seconds: float) -> None:
        """Let time pass in steps of a millisecond."""
        for _ in range(round(seconds * 1000)):
            self._arrive()
            self.now += 0.001
            due = self.playback.next_deadline()
            if due is not None and due <= self.now:
                self.take(self.playback.on_deadline(self.now))
            if self.now >= self.tick_at:
                self.tick_at += 0.020
                self._play()
            self.heard += self.playback.heard(self.now)

    def _arrive(self) -> None:
        while self.on_the_way and self.on_the_way[0][0] <= self.now:
            command = self.on_the_way.pop(0)[1]
            match command:
                case PlayAudio(audio=audio):
                    self.queue += [audio[i : i + FRAME] for i in range(0, len(audio), FRAME)]
                case SendMark(name=name):
                    self.queue.append(name)
                case StopPlayback():
                    self.queue.clear()
            self._return_marks()

    def _play(self) -> None:
        if self.queue and isinstance(self.queue[0], bytes):
            frame = self.queue.popleft()
            assert isinstance(frame, bytes)
            self.played += frame
        self._return_marks()

    def _return_marks(self) -> None:
        while self.queue and isinstance(self.queue[0], str):
            name = self.queue.popleft()
            assert isinstance(name, str)
            self.playback.mark_returned(name, self.now)


def speech(seconds: float) -> bytes:
    """Recognisable bytes: no two frames alike."""
    return random.Random(seconds).randbytes(round(seconds * 8000))


def test_every_byte_is_played_once_and_in_order() -> None:
    """Deltas of any size come out as whole frames, nothing lost, doubled or padded but the very end."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    audio = speech(3.0) + b"tail"
    cuts = [0, 1, 161, 1761, 1762, 9000, len(audio)]
    for start, end in itertools.pairwise(cuts):
        phone.take(playback.add("a", audio[start:end], phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.run(4.0)
    assert bytes(phone.played[: len(audio)]) == audio
    assert phone.played[len(audio) :] == b"\xff" * (FRAME - 4)
    assert all(len(c.audio) % FRAME == 0 for c in phone.sent if isinstance(c, PlayAudio))
    assert phone.heard == [HeardReply("a", 3000, 3000)]
    assert playback.idle


def test_lead_is_bounded() -> None:
    """However fast the service is, the provider never holds more than the lead."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    phone = Phone(playback)
    phone.take(playback.add("a", speech(10.0), phone.now))
    for _ in range(300):
        phone.run(0.02)
        held = sum(len(piece) for piece in phone.queue if isinstance(piece, bytes))
        assert held <= 400 * 8


def test_first_frame_goes_out_at_once() -> None:
    """The first audio of a reply waits for nothing."""
    playback = Playback(PCMU, Playout())
    commands = playback.add("a", speech(0.2), 5.0)
    assert isinstance(commands[0], SendMark)
    assert isinstance(commands[1], PlayAudio)
    assert sum(len(c.audio) for c in commands if isinstance(c, PlayAudio)) == 1600


def test_a_part_frame_waits_for_its_rest() -> None:
    """Padding in the middle of a reply would be heard as a click."""
    playback = Playback(PCMU, Playout())
    commands = playback.add("a", b"x" * 170, 0.0)
    assert [c.audio for c in commands if isinstance(c, PlayAudio)] == [b"x" * 160]
    commands = playback.add("a", b"y" * 150, 0.1)
    assert [c.audio for c in commands if isinstance(c, PlayAudio)] == [b"x" * 10 + b"y" * 150]


@settings(max_examples=150)
@given(
    barge_in=st.floats(0.001, 3.2),
    phase=st.floats(0.0, 0.0199),
    delay=st.floats(0.0, 0.08),
    length=st.floats(0.02, 3.0),
)
def test_heard_is_what_was_played(barge_in: float, phase: float, delay: float, length: float) -> None:
    """Wherever the caller breaks in, the ledger is off the phone's own count by half a frame; by one before a mark."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback, phase=phase, delay=delay)
    phone.take(playback.add("a", speech(length), phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.run(barge_in)
    commands, cut = playback.stop(phone.now)
    phone.take(commands)
    phone.run(delay + 0.005)
    played_ms = len(phone.played) / 8
    if cut:
        (reply,) = cut
        marked = barge_in > 0.05 + 2 * delay  # before the first mark is back, only the way there can be guessed
        assert abs(reply.heard_ms - min(played_ms, reply.received_ms)) <= (13 if marked else 21) + 1000 * delay
    else:
        assert phone.heard
        assert phone.heard[0].received_ms - played_ms <= 20


@settings(max_examples=60)
@given(barge_in=st.floats(0.3, 1.5), phase=st.floats(0.0, 0.0199), delay=st.floats(0.0, 0.1))
def test_round_trip_counts_as_heard(barge_in: float, phase: float, delay: float) -> None:
    """What plays on until the provider reads our stop was heard too: the measured round trip is part of the sum."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback, phase=phase, delay=delay)
    phone.take(playback.add("a", speech(3.0), phone.now))
    phone.run(barge_in + 2 * delay)
    commands, cut = playback.stop(phone.now)
    phone.take(commands)
    phone.run(delay + 0.001)
    assert abs(cut[0].heard_ms - len(phone.played) / 8) <= 13


def test_stop_silences_at_once() -> None:
    """After a stop nothing of the old reply is sent, and marks that it overtook mean nothing."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    phone.take(playback.add("a", speech(5.0), phone.now))
    phone.run(1.0)
    outstanding = [piece for piece in phone.queue if isinstance(piece, str)]
    commands, cut = playback.stop(phone.now)
    assert commands == [StopPlayback()]
    assert [reply.reply_id for reply in cut] == ["a"]
    assert playback.next_deadline() is None
    assert not any(playback.mark_returned(name, phone.now) for name in outstanding)
    assert playback.stop(phone.now) == ([], [])


def test_queued_reply_was_not_heard_at_all() -> None:
    """Two replies in a row: the first is heard in part, the second not at all."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    phone.take(playback.add("a", speech(2.0), phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.take(playback.add("b", speech(2.1), phone.now))
    phone.run(1.0)
    _, cut = playback.stop(phone.now)
    assert [(reply.reply_id, reply.heard_ms > 900) for reply in cut] == [("a", True), ("b", False)]
    assert cut[1] == HeardReply("b", 0, 2100, complete=False)


def test_replies_are_told_as_heard_one_by_one() -> None:
    """The end of each reply is told once the caller has heard it, not when it was sent."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    for name in ("a", "b"):
        phone.take(playback.add(name, speech(1.0), phone.now))
        phone.take(playback.complete(name, phone.now))
    phone.run(0.9)
    assert phone.heard == []
    phone.run(0.4)
    assert [reply.reply_id for reply in phone.heard] == ["a"]
    phone.run(0.8)
    assert [reply.reply_id for reply in phone.heard] == ["a", "b"]


def test_a_service_slower_than_speech_is_not_our_lateness() -> None:
    """A gap in the service's delivery restarts the clock: heard stays true, and no frame of ours was late."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    phone.take(playback.add("a", speech(0.5), phone.now))
    phone.run(1.5)
    phone.take(playback.add("a", speech(0.6), phone.now))
    phone.run(0.3)
    _, cut = playback.stop(phone.now)
    assert playback.late_frames == 0
    assert abs(cut[0].heard_ms - len(phone.played) / 8) <= 20


@pytest.mark.parametrize(("top_up_s", "late"), [(0.2, 0), (0.59, 0), (0.7, 5)])
def test_a_packet_that_is_sent_again_is_not_heard(top_up_s: float, late: int) -> None:
    """The first top-up is due after 200 ms; a phone has 400 ms more, twice the shortest time to a retransmission."""
    playback = Playback(PCMU, Playout())
    playback.add("a", speech(2.0), 0.0)
    assert playback.next_deadline() == pytest.approx(0.2)
    playback.on_deadline(top_up_s)
    assert playback.late_frames == late


def test_our_own_lateness_is_counted() -> None:
    """A deadline missed by 100 ms beyond the lead is five frames late."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    playback.add("a", speech(2.0), 0.0)
    playback.on_deadline(0.5)
    assert playback.late_frames == 5


def test_a_lost_mark_does_not_hold_the_call() -> None:
    """Where the last mark never comes back, the clock decides after a grace."""
    playback = Playback(PCMU, Playout())
    playback.add("a", speech(0.4), 0.0)
    playback.complete("a", 0.0)
    assert playback.heard(0.4 + MARK_GRACE_S - 0.01) == []
    assert playback.next_deadline() == pytest.approx(0.4 + MARK_GRACE_S)
    assert playback.heard(0.4 + MARK_GRACE_S + 0.01) == [HeardReply("a", 400, 400)]


def test_a_late_mark_does_not_move_the_ear_back() -> None:
    """Marks are late by the network's jitter; one within a frame is noise, and the confirmed position never shrinks."""
    playback = Playback(PCMU, Playout())
    marks = [c.name for c in playback.add("a", speech(0.4), 0.0) if isinstance(c, SendMark)]
    playback.mark_returned(marks[1], 0.020)
    playback.mark_returned(marks[2], 0.415)
    _, cut = playback.stop(0.415)
    assert cut[0].heard_ms == 400


def test_marks_cannot_hurry_the_clock() -> None:
    """A phone that returns marks at once has not heard them: the lead stays bounded, and heard stays true."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    commands = playback.add("a", speech(5.0), 0.0)
    sent = 0
    for step in range(1, 50):
        sent += sum(len(c.audio) for c in commands if isinstance(c, PlayAudio))
        assert sent / 8 <= 400 + step * 20
        for command in commands:
            if isinstance(command, SendMark):
                playback.mark_returned(command.name, step * 0.02)
        commands = playback.on_deadline(step * 0.02)
    _, cut = playback.stop(1.0)
    assert abs(cut[0].heard_ms - 1000) <= 40


def test_without_marks_the_clock_computes() -> None:
    """A provider that confirms nothing is sent no marks, and heard follows the clock."""
    playback = Playback(PCMU, Playout(returns_marks=False))
    commands = playback.add("a", speech(1.0), 0.0)
    assert not any(isinstance(command, SendMark) for command in commands)
    playback.on_deadline(0.2)
    _, cut = playback.stop(0.35)
    assert cut == [HeardReply("a", 350, 1000, complete=False)]


ON_TRIAL = Playout(lead_ms=400, marks_on_trial=True, marks_return_at_once=False)


def marks_of(commands: list[PhoneCommand]) -> list[str]:
    return [command.name for command in commands if isinstance(command, SendMark)]


def test_marks_on_trial_that_never_return_are_not_sent_again() -> None:
    """A phone that does not know marks is sent one, and the clock counts: ends are told a quarter of a second later."""
    playback = Playback(PCMU, ON_TRIAL)
    assert len(marks_of(playback.add("a", speech(1.0), 0.0))) == 1
    sent = playback.complete("a", 0.0)
    for step in range(1, 11):
        sent += playback.on_deadline(step * 0.1)
    assert marks_of(sent) == []
    assert playback.heard(1.24) == []
    assert playback.heard(1.26) == [HeardReply("a", 1000, 1000)]
    assert marks_of(playback.add("b", speech(1.0), 5.0)) == []
    _, cut = playback.stop(5.25)
    assert cut == [HeardReply("b", 250, 1000, complete=False)]
    assert marks_of(playback.add("c", speech(1.0), 6.0)) == []


def test_a_returned_trial_puts_marks_to_use() -> None:
    """Every piece that is sent afterwards has its mark, and an end is known by it."""
    playback = Playback(PCMU, ON_TRIAL)
    (trial,) = marks_of(playback.add("a", speech(0.6), 0.0))
    playback.complete("a", 0.0)
    assert playback.mark_returned(trial, 0.03)
    (mark,) = marks_of(playback.on_deadline(0.2))
    playback.mark_returned(mark, 0.62)
    assert playback.heard(0.62) == [HeardReply("a", 600, 600)]


def test_a_reply_shorter_than_the_trial_s_way_ends_by_the_clock() -> None:
    """It was sent without a mark of its own, so that none is waited for."""
    playback = Playback(PCMU, ON_TRIAL)
    (trial,) = marks_of(playback.add("a", speech(0.2), 0.0))
    playback.complete("a", 0.0)
    playback.mark_returned(trial, 0.03)
    assert playback.next_deadline() == pytest.approx(0.45)
    assert playback.heard(0.46) == [HeardReply("a", 200, 200)]


def test_a_trial_that_a_stop_discarded_is_made_again() -> None:
    """A phone may throw it away with the audio. One that had time to return does not count as discarded."""
    playback = Playback(PCMU, ON_TRIAL)
    (first,) = marks_of(playback.add("a", speech(1.0), 0.0))
    playback.stop(0.01)
    (second,) = marks_of(playback.add("b", speech(1.0), 1.0))
    assert second != first
    assert playback.mark_returned(first, 1.01) is False
    playback.stop(1.6)
    assert marks_of(playback.add("c", speech(1.0), 2.0)) == []


@given(
    pieces=st.lists(st.integers(1, 700), min_size=1, max_size=30),
    steps=st.lists(st.floats(0.0, 0.2), min_size=30, max_size=30),
    frame_ms=st.sampled_from([20, 100, 400]),
)
def test_nothing_is_padded_but_the_end(pieces: list[int], steps: list[float], frame_ms: int) -> None:
    """However small and however late the pieces of a reply come, silence is put behind its last byte alone."""
    playback = Playback(PCMU, Playout(frame_ms=frame_ms, lead_ms=3 * frame_ms, refill_ms=frame_ms))
    said, sent, now = b"", b"", 0.0
    for size, step in zip(pieces, steps, strict=False):
        audio = bytes(1 + (len(said) + n) % 250 for n in range(size))
        said += audio
        sent += b"".join(c.audio for c in playback.add("a", audio, now) if isinstance(c, PlayAudio))
        now += step
        sent += b"".join(c.audio for c in playback.on_deadline(now) if isinstance(c, PlayAudio))
    sent += b"".join(c.audio for c in playback.complete("a", now) if isinstance(c, PlayAudio))
    while (due := playback.next_deadline()) is not None and not playback.idle:
        now = max(now, due) + 0.001
        sent += b"".join(c.audio for c in playback.on_deadline(now) if isinstance(c, PlayAudio))
        playback.heard(now)
    assert sent[: len(said)] == said
    assert set(sent[len(said) :]) <= {0xFF}
    assert len(sent) - len(said) < PCMU.bytes_for(frame_ms)


def test_wideband_frames() -> None:
    """The same arithmetic holds for linear audio: whole frames of 640 bytes at 16 kHz."""
    playback = Playback(L16_16K, Playout())
    commands = playback.add("a", b"\x01\x00" * 5000, 0.0)
    assert {len(c.audio) % 640 for c in commands if isinstance(c, PlayAudio)} == {0}


# A phone that cannot discard


@settings(max_examples=150)
@given(
    barge_in=st.floats(0.001, 3.2),
    delay=st.floats(0.0, 0.08),
    length=st.floats(0.02, 3.0),
    confirms=st.booleans(),
    next_after=st.floats(0.0, 1.0),
)
def test_where_nothing_is_discarded_all_that_was_sent_is_heard(
    barge_in: float, delay: float, length: float, confirms: bool, next_after: float
) -> None:
    """Wherever the caller breaks in: what is told is what the phone plays to the last byte, and no stop is sent.

    What is said next is queued behind it within the lead, and told as heard when it was.
    """
    playout = Playout(clears=False, returns_marks=confirms)
    playback = Playback(PCMU, playout)
    phone = Phone(playback, delay=delay)
    phone.take(playback.add("a", speech(length), phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.run(barge_in)
    commands, cut = playback.stop(phone.now)
    assert commands == []
    told = {reply.reply_id: reply for reply in (*phone.heard, *cut)}["a"]
    phone.run(next_after)
    phone.take(playback.add("b", speech(0.5), phone.now))
    phone.take(playback.complete("b", phone.now))
    assert sum(len(piece) for piece in phone.queue if isinstance(piece, bytes)) <= (playout.lead_ms + 20) * 8
    phone.run(3.0)
    of_a = len(phone.played) - 4000
    assert 0 <= of_a / 8 - told.heard_ms < 20 + 1  # a last frame is filled up
    assert bytes(phone.played[of_a:]) == speech(0.5)
    assert phone.heard[-1] == HeardReply("b", 500, 500)
    assert playback.late_frames == 0


def test_what_waits_is_not_sent_after_all() -> None:
    """The phone plays on what it has, and gets nothing more of the reply; the marks that are out still count."""
    playback = Playback(PCMU, Playout(clears=False))
    phone = Phone(playback)
    phone.take(playback.add("a", speech(5.0), phone.now))
    phone.run(1.0)
    sent = sum(len(command.audio) for command in phone.sent if isinstance(command, PlayAudio))
    assert playback.stop(phone.now) == ([], [HeardReply("a", sent // 8, 5000, complete=False)])
    assert (playback.idle, playback.next_deadline()) == (True, None)
    phone.run(1.0)
    assert len(phone.played) == sent
    assert playback.stop(phone.now) == ([], [])


def test_a_phone_that_gathers_is_told_the_end_of_what_it_was_sent() -> None:
    """Otherwise it would hold back what counts as heard."""
    playback = Playback(PCMU, Playout(clears=False, gathers=True, returns_marks=False))
    playback.add("a", speech(5.0), 0.0)
    assert playback.stop(0.1)[0] == [PlayAudio(b"")]
    assert playback.stop(0.2)[0] == []


def test_an_end_waits_for_the_next_reply_until_the_phone_runs_dry() -> None:
    """81 bytes of a reply and 10 of the next make no frame: the end goes out, padded, when the phone has nothing left.

    The next reply may bring nothing more. Until then there is a deadline for it, and behind it none that stays.
    """
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    audio = speech(0.41)[:3200] + b"\x01" * 81
    phone.take(playback.add("a", audio, phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.take(playback.add("b", b"\x02" * 10, phone.now))
    phone.run(2.0)
    assert bytes(phone.played) == audio + b"\xff" * 79
    assert [reply.reply_id for reply in phone.heard] == ["a"]
    assert playback.next_deadline() is None
    phone.take(playback.complete("b", phone.now))
    phone.run(1.0)
    assert bytes(phone.played[3360:]) == b"\x02" * 10 + b"\xff" * 150
    assert playback.idle
    assert playback.late_frames == 0


def test_an_end_behind_a_part_of_another_reply_is_not_stuck() -> None:
    """Replies whose pieces come in turns: what is complete is sent when the phone has run dry, and all before it."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    phone.take(playback.add("a", speech(0.4), phone.now))
    phone.take(playback.add("b", b"\x02" * 10, phone.now))
    phone.take(playback.add("a", b"\x01" * 81, phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.run(2.0)
    assert bytes(phone.played[3200:3360]) == b"\x02" * 10 + b"\x01" * 81 + b"\xff" * 69
    assert [reply.reply_id for reply in phone.heard] == ["a"]
    assert playback.next_deadline() is None


def test_an_end_is_filled_up_by_the_next_reply() -> None:
    """While the phone has something left to play, the next reply follows without a gap."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    phone = Phone(playback)
    first, second = speech(0.4) + b"\x01" * 81, b"\x02" * 79
    phone.take(playback.add("a", first, phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.take(playback.add("b", second[:10], phone.now))
    phone.run(0.3)
    phone.take(playback.add("b", second[10:], phone.now))
    phone.take(playback.complete("b", phone.now))
    phone.run(1.0)
    assert bytes(phone.played) == first + second


def test_a_wire_that_gathers_is_told_that_an_end_follows_nothing() -> None:
    """An end that went out because the phone ran dry must not stay in the provider's buffer until more comes."""
    playback = Playback(PCMU, Playout(lead_ms=400, gathers=True))
    playback.add("a", b"\x01" * 3281, 0.0)
    playback.complete("a", 0.0)
    assert playback.add("b", b"\x02" * 10, 0.0) == []
    due = playback.next_deadline()
    assert due == 0.4
    (end,) = (command for command in playback.on_deadline(due) if isinstance(command, PlayAudio))
    assert (end.audio, end.more) == (b"\x01" * 81 + b"\xff" * 79, False)


@pytest.mark.parametrize(
    "playout", [Playout(lead_ms=200, refill_ms=20), Playout(frame_ms=200, refill_ms=200, lead_ms=600)]
)
@pytest.mark.parametrize("start", [0.0, 1000.1, 1_234_567.891])
def test_a_deadline_is_met_at_its_time(playout: Playout, start: float) -> None:
    """Each deadline sends something at its very moment, however times are rounded; none is asked for again."""
    playback = Playback(PCMU, playout)
    playback.add("a", speech(3.0), start)
    playback.complete("a", start)
    while (due := playback.next_deadline()) is not None:
        assert playback.on_deadline(due) or playback.heard(due), f"nothing was done at {due - start:g} s"
    assert playback.idle


def test_the_way_of_a_reply_is_known() -> None:
    """It waits for the reply before it; what is late is the reply's whose frames were late."""
    playback = Playback(PCMU, Playout())
    phone = Phone(playback)
    phone.take(playback.add("a", speech(1.0), phone.now))
    phone.take(playback.complete("a", phone.now))
    phone.take(playback.add("b", speech(1.0), phone.now))
    phone.take(playback.complete("b", phone.now))
    phone.run(2.5)
    first, second = (reply.timing for reply in phone.heard)
    assert first is not None
    assert second is not None
    assert (first.sent_after_ms, first.late_frames, second.late_frames) == (0, 0, 0)
    assert first.heard_after_ms <= 40
    assert second.sent_after_ms < second.heard_after_ms
    assert abs(second.heard_after_ms - 1000) <= 40


def test_late_frames_are_of_the_reply_that_was_late() -> None:
    """A deadline that is missed within the second reply says nothing of the first."""
    playback = Playback(PCMU, Playout(lead_ms=400, returns_marks=False))
    playback.add("a", speech(2.0), 0.0)
    playback.on_deadline(0.5)
    _, cut = playback.stop(1.0)
    assert cut[0].timing is not None
    assert cut[0].timing.late_frames == 5
