"""What playback computes, to the millisecond, the byte and the frame."""

import pytest

from gateway.audio.formats import L16_8K, PCMA, PCMU, AudioFormat
from gateway.call.speaking.playback import RTT_LIMIT_S, Playback
from gateway.call.speaking.replies import HeardReply
from gateway.phone.commands import PhoneCommand, PlayAudio, SendMark, StopPlayback
from gateway.phone.events import Playout

SECOND = b"\x10" * 8000
HALF_A_FRAME_MS = 10
NO_MARKS = Playout(returns_marks=False, marks_return_at_once=False, lead_ms=400)


def marks(commands: list[PhoneCommand]) -> list[str]:
    """Return the names of the marks."""
    return [command.name for command in commands if isinstance(command, SendMark)]


def audio(commands: list[PhoneCommand]) -> bytes:
    """Return all audio that is played."""
    return b"".join(command.audio for command in commands if isinstance(command, PlayAudio))


def interrupted(playback: Playback, now: float, round_trip_s: float) -> int:
    """A reply whose probe takes so long, interrupted half a second after its beginning; what was heard of it."""
    probe, *_ = marks(playback.add(f"reply {now}", SECOND, now))
    returned = playback.mark_returned(probe, now + round_trip_s) if round_trip_s < 0.5 else False
    for moment in (0.2, 0.4):
        playback.on_deadline(now + moment)
    _, (reply,) = playback.stop(now + 0.5)
    if round_trip_s >= 0.5:
        returned = playback.mark_returned(probe, now + round_trip_s)
        assert returned is False, "a stop has overtaken it"
    return reply.heard_ms


def test_the_least_round_trip_counts_as_heard() -> None:
    """The way there and back is what it takes at least; what is more was the phone's or the network's jitter."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    assert interrupted(playback, 0.0, 0.1) == 500 + 100 - HALF_A_FRAME_MS
    assert interrupted(playback, 10.0, 0.04) == 500 + 40 - HALF_A_FRAME_MS
    assert interrupted(playback, 20.0, 0.3) == 500 + 40 - HALF_A_FRAME_MS
    assert interrupted(playback, 30.0, 0.6) == 500 + 40 - HALF_A_FRAME_MS


@pytest.mark.parametrize(("took_s", "counted_ms"), [(RTT_LIMIT_S, 500), (RTT_LIMIT_S + 0.01, 0)])
def test_a_probe_that_takes_long_measures_something_else(took_s: float, counted_ms: int) -> None:
    """Half a second at the most."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    probe, *_ = marks(playback.add("a", SECOND * 3, 0.0))
    assert playback.mark_returned(probe, took_s)
    assert playback.mark_returned(probe, took_s) is False, "it measures once"
    for now in (0.2, 0.4, 0.6, 0.8):
        playback.on_deadline(now)
    _, (reply,) = playback.stop(0.8)
    assert reply.heard_ms == (1200 if counted_ms else 800 - HALF_A_FRAME_MS), "no more than was sent"


@pytest.mark.parametrize(("late_s", "frames"), [(0.001, 1), (0.019, 1), (0.021, 2), (0.085, 5), (0.099, 5)])
def test_every_frame_that_is_late_in_part_is_late(late_s: float, frames: int) -> None:
    """What the phone had was played to its end, and the next frame came that much later; gaps add up."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    playback.add("a", SECOND * 3, 0.0)
    playback.on_deadline(0.4 + late_s)
    assert playback.late_frames == frames
    playback.on_deadline(0.8 + 2 * late_s)
    assert playback.late_frames == 2 * frames


def test_what_the_service_delays_is_not_late() -> None:
    """A stop, an end or a pause of the service is followed by silence, which nobody is late for."""
    playback = Playback(PCMU, NO_MARKS)
    playback.add("a", SECOND, 0.0)
    playback.stop(0.1)
    playback.add("b", b"\x10" * 1600, 5.0)
    playback.add("b", b"\x10" * 1600, 9.0)
    playback.complete("b", 9.0)
    playback.heard(10.0)
    playback.add("c", SECOND, 20.0)
    assert playback.late_frames == 0


def test_the_lead_is_topped_up_when_it_has_shrunk_by_the_refill() -> None:
    """400 ms at once, 200 ms when 200 ms are left, and nothing in between."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    assert len(audio(playback.add("a", SECOND * 3, 0.0))) == 3200
    assert playback.next_deadline() == pytest.approx(0.2)
    assert playback.on_deadline(0.1) == []
    assert len(audio(playback.on_deadline(0.2))) == 1600
    assert playback.next_deadline() == pytest.approx(0.4)
    assert len(audio(playback.on_deadline(0.45))) == 2000 // 160 * 160


@pytest.mark.parametrize(("audio_format", "byte"), [(PCMU, 0xFF), (PCMA, 0xD5), (L16_8K, 0)])
def test_the_end_is_padded_with_silence_of_the_format(audio_format: AudioFormat, byte: int) -> None:
    """Behind the last byte of what was said, up to a whole frame."""
    playback = Playback(audio_format, NO_MARKS)
    playback.add("a", b"\x10" * 100, 0.0)
    sent = audio(playback.complete("a", 0.0))
    assert sent == b"\x10" * 100 + bytes([byte]) * (audio_format.bytes_for(20) - 100)
    assert playback.heard(1.0) == [HeardReply("a", 100 // audio_format.bytes_per_ms, 100 // audio_format.bytes_per_ms)]


def test_a_stop_is_sent_only_where_something_plays() -> None:
    """By the clock where nothing is confirmed; by the marks where the clock is ahead of them; never into silence."""
    by_clock = Playback(PCMU, NO_MARKS)
    assert by_clock.stop(0.0) == ([], [])
    by_clock.add("a", b"\x10" * 1600, 0.0)
    assert by_clock.stop(0.1)[0] == [StopPlayback()]
    assert by_clock.stop(0.1)[0] == []
    by_clock.add("b", b"\x10" * 1600, 1.0)
    assert by_clock.stop(1.21)[0] == [], "all of it was played"
    by_marks = Playback(PCMU, Playout(lead_ms=400))
    by_marks.add("a", b"\x10" * 1600, 0.0)
    assert by_marks.stop(0.3)[0] == [StopPlayback()], "its mark is not back"
    for name in marks(by_marks.add("b", b"\x10" * 1600, 1.0)):
        by_marks.mark_returned(name, 1.25)
    assert by_marks.stop(1.3)[0] == []


def test_marks_of_an_earlier_run_are_not_known() -> None:
    """Their names differ, and they move nothing."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    first = marks(playback.add("a", SECOND, 0.0))
    playback.stop(0.1)
    second = marks(playback.add("b", SECOND, 1.0))
    assert set(first).isdisjoint(second)
    assert not any(playback.mark_returned(name, 1.01) for name in first)
    _, (reply,) = playback.stop(1.1)
    assert reply == HeardReply("b", 100 - HALF_A_FRAME_MS, 1000, complete=False)


def test_what_is_heard_is_no_less_than_nothing_and_no_more_than_was_sent() -> None:
    """A reply behind another has not begun; one that was all sent is heard up to its end."""
    playback = Playback(PCMU, NO_MARKS)
    playback.add("a", b"\x10" * 1600, 0.0)
    playback.complete("a", 0.0)
    playback.add("b", SECOND, 0.0)
    _, (a, b) = playback.stop(0.1)
    assert (a.heard_ms, b.heard_ms) == (100, 0)
    playback.add("c", b"\x10" * 1600, 10.0)
    _, (c,) = playback.stop(10.9)
    assert c == HeardReply("c", 200, 200, complete=False)


def test_a_reply_between_two_others_begins_where_the_first_ends() -> None:
    """Each is counted from its own first byte."""
    playback = Playback(PCMU, NO_MARKS)
    for name in "abc":
        playback.add(name, b"\x10" * 1600, 0.0)
        playback.complete(name, 0.0)
    for now in (0.2, 0.4):
        playback.on_deadline(now)
    _, cut = playback.stop(0.5)
    assert [(reply.reply_id, reply.heard_ms) for reply in cut] == [("a", 200), ("b", 200), ("c", 100)]
    assert all(reply.complete for reply in cut)


@pytest.mark.parametrize(
    ("late_ms", "stopped_at", "heard_ms"),
    [(0, 600, 600), (15, 615, 605), (25, 625, 600), (100, 700, 600), (-15, 600, 605)],
)
def test_a_jittery_mark_moves_nothing_and_a_late_one_the_clock(late_ms: int, stopped_at: int, heard_ms: int) -> None:
    """Up to a frame late is the network; more says that the phone ran dry; earlier corrects the clock."""
    playback = Playback(PCMU, Playout(lead_ms=400, marks_return_at_once=False))
    first, *_ = marks(playback.add("a", SECOND, 0.0))
    playback.mark_returned(first, 0.02)
    at_600, *_ = marks(playback.on_deadline(0.2))
    playback.on_deadline(0.4)
    playback.mark_returned(at_600, (600 + late_ms) / 1000)
    _, (reply,) = playback.stop(stopped_at / 1000)
    assert reply.heard_ms == heard_ms


def test_a_lost_mark_is_waited_for_two_seconds() -> None:
    """To the hundredth; where no mark is out, a quarter of a second."""
    marked = Playback(PCMU, Playout(lead_ms=400))
    marked.add("a", b"\x10" * 3200, 0.0)
    marked.complete("a", 0.0)
    assert marked.heard(2.39) == []
    assert marked.heard(2.41) == [HeardReply("a", 400, 400)]
    by_clock = Playback(PCMU, NO_MARKS)
    by_clock.add("a", b"\x10" * 3200, 0.0)
    by_clock.complete("a", 0.0)
    assert by_clock.heard(0.64) == []
    assert by_clock.heard(0.66) == [HeardReply("a", 400, 400)]


def test_marks_that_come_in_another_order_take_nothing_back() -> None:
    """What was confirmed stays heard."""
    playback = Playback(PCMU, Playout(lead_ms=400, marks_return_at_once=False))
    first, last = marks(playback.add("a", SECOND, 0.0))
    assert playback.mark_returned(last, 0.4)
    assert playback.mark_returned(first, 0.45)
    _, (reply,) = playback.stop(0.45)
    assert reply.heard_ms == 400


def test_a_phone_that_gathers_is_told_an_end_once() -> None:
    """When the reply is complete and all of it was sent; not for a reply that was cut off, nor for one told already."""
    playback = Playback(PCMU, Playout(lead_ms=400, gathers=True))
    sent = [command for command in playback.add("a", b"\x10" * 1600, 0.0) if isinstance(command, PlayAudio)]
    assert all(command.more for command in sent)
    assert playback.complete("a", 0.1) == [PlayAudio(b"")]
    assert playback.complete("a", 0.1) == []
    playback.add("b", SECOND, 1.0)
    playback.stop(1.1)
    assert playback.complete("b", 1.1) == []


def test_audio_lasts_as_long_as_its_format_says() -> None:
    """A second is 8,000 bytes of PCMU and 16,000 of linear audio."""
    assert Playback(PCMU, NO_MARKS).duration_s(bytes(8000)) == 1.0
    assert Playback(L16_8K, NO_MARKS).duration_s(bytes(8000)) == 0.5


def test_an_end_in_several_pieces_goes_out_whole_when_the_phone_runs_dry() -> None:
    """Two pieces of a complete reply make less than a frame, and a part of the next stands behind them."""
    playback = Playback(PCMU, NO_MARKS)
    assert len(audio(playback.add("a", b"\x01" * 3240, 0.0))) == 3200
    playback.add("a", b"\x02" * 41, 0.0)
    playback.complete("a", 0.0)
    playback.add("b", b"\x03" * 10, 0.0)
    assert audio(playback.on_deadline(0.4)) == b"\x01" * 40 + b"\x02" * 41 + b"\xff" * 79


def test_half_a_tick_of_what_the_clock_says_has_not_been_played() -> None:
    """However long the phone's ticks are: a mark returns with the tick before it."""
    playback = Playback(PCMU, Playout(tick_ms=2000, lead_ms=4000, marks_return_at_once=False))
    playback.add("a", SECOND * 4, 0.0)
    _, (reply,) = playback.stop(1.6007)
    assert reply.heard_ms == 600


@pytest.mark.parametrize(("late_s", "heard_ms"), [(1.999, 8500), (2.001, 6499)])
def test_a_mark_may_be_late_by_a_tick_of_the_phone(late_s: float, heard_ms: int) -> None:
    """However long its ticks are: what is later says that the phone ran dry, and moves the clock."""
    playback = Playback(PCMU, Playout(tick_ms=2000, lead_ms=6000, marks_return_at_once=False))
    first, at_6_s = marks(playback.add("a", SECOND * 20, 0.0))
    playback.mark_returned(first, 0.02)
    for now in (2.0, 4.0, 6.0):
        playback.on_deadline(now)
    playback.mark_returned(at_6_s, 6.0 + late_s)
    _, (reply,) = playback.stop(9.5)
    assert reply.heard_ms == heard_ms


def test_a_mark_may_be_early_by_a_tick_of_the_phone() -> None:
    """To the moment: audio is taken in whole ticks. What is earlier confirms nothing."""
    audio_s, tick_s = 0.6, 0.02
    for early_s, heard_ms in ((tick_s, 600), (tick_s + 0.001, 569)):
        playback = Playback(PCMU, Playout(lead_ms=400, marks_return_at_once=False))
        playback.add("a", SECOND, 0.0)
        at_600, *_ = marks(playback.on_deadline(0.2))
        playback.on_deadline(0.4)
        assert playback.mark_returned(at_600, audio_s - early_s)
        _, (reply,) = playback.stop(audio_s - early_s)
        assert reply.heard_ms == heard_ms


def test_a_reply_of_which_something_waits_is_not_heard() -> None:
    """Though all that was sent of it is confirmed: the rest is sent late, and not left out."""
    playback = Playback(PCMU, Playout(lead_ms=400, marks_return_at_once=False))
    sent = playback.add("a", SECOND, 0.0)
    playback.complete("a", 0.0)
    for name in marks(sent):
        playback.mark_returned(name, 0.4)
    assert playback.heard(0.45) == []
    assert len(audio(playback.on_deadline(0.45))) == 3200


@pytest.mark.parametrize(("frames", "ends"), [(269, 0), (270, 1)])
def test_a_phone_that_confirms_nothing_of_five_seconds_has_stalled(frames: int, ends: int) -> None:
    """Beyond the lead, and at five seconds exactly: the lead may wait at the provider unconfirmed."""
    playback = Playback(PCMU, Playout(lead_ms=400, refill_ms=20))
    playback.add("a", SECOND * 20, 0.0)
    for frame in range(1, 251):
        playback.on_deadline(frame / 50)
        if playback._unconfirmed >= frames * 160:
            break
    assert playback._unconfirmed == frames * 160
    assert len(playback.stalled()) == ends


@pytest.mark.parametrize(("began", "stopped_after_s", "again"), [(100.0, 0.01, 1), (0.0, RTT_LIMIT_S, 0)])
def test_a_trial_of_marks_is_discarded_within_its_way(began: float, stopped_after_s: float, again: int) -> None:
    """Counted from when it was sent, whatever the clock says then; half a second later it had time to return."""
    playback = Playback(PCMU, Playout(lead_ms=400, marks_on_trial=True, marks_return_at_once=False))
    assert len(marks(playback.add("a", SECOND, began))) == 1
    playback.stop(began + stopped_after_s)
    assert len(marks(playback.add("b", SECOND, began + 5))) == again


def test_the_silence_before_the_first_reply_is_not_late() -> None:
    """Nothing was there that could have been sent."""
    playback = Playback(PCMU, NO_MARKS)
    playback.add("a", SECOND, 5.0)
    assert playback.late_frames == 0


def test_an_end_waits_for_the_next_reply_though_there_is_room_for_it() -> None:
    """While the phone has something to play: a piece that makes no frame yet fills nothing up with silence."""
    playback = Playback(PCMU, NO_MARKS)
    playback.add("a", b"\x01" * 3281, 0.0)
    playback.complete("a", 0.0)
    assert playback.add("b", b"\x02" * 10, 0.25) == []
    assert audio(playback.add("b", b"\x02" * 69, 0.3)) == b"\x01" * 81 + b"\x02" * 79


def test_a_reply_that_begins_within_a_piece_is_counted_from_there() -> None:
    """The piece has the end of the reply before it too."""
    playback = Playback(PCMU, NO_MARKS)
    for name, size in (("a", 4000), ("b", 1600)):
        playback.add(name, b"\x10" * size, 0.0)
        playback.complete(name, 0.0)
    assert len(audio(playback.on_deadline(0.2))) == 1600
    _, cut = playback.stop(0.55)
    assert [(reply.reply_id, reply.heard_ms) for reply in cut] == [("a", 500), ("b", 50)]


@pytest.mark.parametrize("returned_at", [0.05, 0.6, 30.0])
def test_a_mark_on_trial_proves_marks_whenever_it_returns(returned_at: float) -> None:
    """A phone that knows marks may be slow: from then on there is a mark behind each piece, and it is believed."""
    playback = Playback(PCMU, Playout(lead_ms=400, marks_return_at_once=False, marks_on_trial=True))
    (trial,) = marks(playback.add("a", SECOND, 0.0))
    for moment in (0.2, 0.4, 0.6, 0.8):
        assert marks(playback.on_deadline(moment)) == []
    playback.complete("a", 0.8)
    assert playback.mark_returned(trial, returned_at)
    commands = playback.add("b", SECOND, 40.0) if playback.heard(31.0) else []
    assert len(marks(commands)) == 2
    assert playback.mark_returned(marks(commands)[0], 40.02)


def lost(playback: Playback, now: float) -> int:
    """Return the marks that are lost by then, where all that was said has been heard."""
    playback.on_deadline(now)
    playback.heard(now)
    return playback.marks_lost


def test_a_mark_is_lost_two_seconds_after_it_was_due() -> None:
    """A reply of 400 ms has two, behind its first frame and its last; they may come until then, and count once."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    playback.add("a", SECOND[:3200], 0.0)
    playback.complete("a", 0.0)
    assert lost(playback, 2.39) == 0
    assert lost(playback, 2.41) == 2
    playback.add("b", SECOND[:3200], 10.0)
    playback.complete("b", 10.0)
    assert lost(playback, 12.41) == 4


def test_a_mark_that_another_overtakes_is_lost_and_one_that_comes_after_all_is_not() -> None:
    """Marks return in order; whatever comes is taken back from the count."""
    playback = Playback(PCMU, Playout(lead_ms=400))
    _probe, first, second = marks(playback.add("a", SECOND[:3200], 0.0))
    playback.complete("a", 0.0)
    assert playback.mark_returned(second, 0.4)
    assert lost(playback, 0.41) == 1
    assert playback.mark_returned(first, 0.9)
    assert playback.marks_lost == 0


def test_marks_of_a_reply_that_is_cut_short_are_lost_if_they_were_overdue() -> None:
    """Those that a stop overtakes need not return."""
    early, late = Playback(PCMU, Playout(lead_ms=400)), Playback(PCMU, Playout(lead_ms=400))
    for playback, until in ((early, 1.0), (late, 3.0)):
        playback.add("a", SECOND * 5, 0.0)
        for tenth in range(1, round(until * 10) + 1):
            playback.on_deadline(tenth / 10)
        playback.stop(until)
        playback.stop(until + 10)
    assert early.marks_lost == 0
    assert late.marks_lost == 5, "those of the first second: of a frame, up to 400 ms, and of 200 ms thrice"


def test_marks_that_return_when_all_was_played_are_not_due_before() -> None:
    """With the next reply behind them they may be late by all of it."""
    playback = Playback(PCMU, Playout(lead_ms=400, marks_return_on_the_way=False))
    playback.add("a", SECOND[:3200], 0.0)
    playback.complete("a", 0.0)
    playback.add("b", SECOND * 4, 0.1)
    playback.complete("b", 0.1)
    for tenth in range(2, 42):
        assert lost(playback, tenth / 10) == 0
    assert [reply.reply_id for reply in playback._replies] == ["b"]
    sent = len(playback._marks)
    assert lost(playback, 6.5) == sent > 10


@pytest.mark.parametrize("playout", [NO_MARKS, Playout(lead_ms=400, marks_on_trial=True)])
def test_where_no_mark_is_promised_none_is_lost(playout: Playout) -> None:
    """The clock is believed; a mark on trial proves that there are none."""
    playback = Playback(PCMU, playout)
    playback.add("a", SECOND[:3200], 0.0)
    playback.complete("a", 0.0)
    assert lost(playback, 10.0) == 0
