"""Words get the time at which they were spoken."""

from gateway.call import notes
from gateway.cli.calling.spoken import SpokenTimes
from gateway.sim.caller.call import Progress
from gateway.sim.caller.recording import Span


def test_a_reply_behind_another_begins_where_that_one_ends() -> None:
    """Both texts are there long before; the phone hears no pause between them."""
    spoken = SpokenTimes()
    for item_id in ("r1", "r2"):
        spoken.note(notes.ReplyStarted(item_id, None), 1.0)
        spoken.reply_said(item_id, item_id, 1.1)
    assert spoken.replies() == []
    spoken.progress(Progress(1200, "bot_started"))
    assert spoken.replies() == [(1.2, "r1")]
    spoken.note(notes.ReplyHeard("r1", 900, 900), 2.1)
    assert spoken.replies() == [(2.1, "r2")]
    assert spoken.unheard() == []


def test_a_reply_that_was_cut_off_begins_no_other() -> None:
    """What waited behind it was thrown away with it."""
    spoken = SpokenTimes()
    for item_id in ("r1", "r2"):
        spoken.note(notes.ReplyStarted(item_id, None), 1.0)
        spoken.reply_said(item_id, item_id, 1.1)
    spoken.progress(Progress(1200, "bot_started"))
    assert spoken.replies() == [(1.2, "r1")]
    spoken.note(notes.ReplyHeard("r1", 400, 900), 1.6)
    spoken.note(notes.ReplyHeard("r2", 0, 900), 1.6)
    assert spoken.replies() == []
    assert spoken.unheard() == ["r2"]


def test_sentences_of_one_recording_have_times_of_their_own() -> None:
    """A transcript belongs to the speech before the pause that was heard; short pauses are part of it."""
    spoken = SpokenTimes()
    speech = (Span(2000, 3000), Span(3200, 4000), Span(5000, 6000))
    spoken.progress(Progress(1800, "caller_started", "two.wav", speech))
    spoken.note(notes.CallerPaused("u"), 4.5)
    assert spoken.caller_at(5.1) == 2.0
    spoken.note(notes.CallerPaused("u"), 6.5)
    assert spoken.caller_at(6.7) == 5.0


def test_an_interruption_began_with_the_words_and_a_key_has_none() -> None:
    """The gateway notices speech a moment later; a key interrupts when it is pressed."""
    spoken = SpokenTimes()
    assert spoken.interrupted_at(3.0) == 3.0
    spoken.progress(Progress(5000, "caller_started", "a.wav", (Span(5100, 7000),)))
    assert spoken.interrupted_at(5.4) == 5.1
    spoken.progress(Progress(7000, "caller_stopped", "a.wav"))
    assert spoken.interrupted_at(9.0) == 9.0


def test_without_the_phone_the_gateways_times_stand() -> None:
    """A reply that nobody announced, and words of no recording."""
    spoken = SpokenTimes()
    spoken.reply_said("r", "Hello.", 1.5)
    assert spoken.replies() == [(1.5, "Hello.")]
    assert spoken.caller_at(2.0) == 2.0
