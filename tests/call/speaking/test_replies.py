"""Replies on their way to the caller's ear."""

from gateway.call.speaking.replies import HeardReply, Reply, Timing


def test_the_way_of_a_reply_is_told_from_its_first_audio_on() -> None:
    """In whole milliseconds, with its late frames; what the clock says before the first audio is no time."""
    reply = Reply("r", received=160, sent=160, received_at=100.0, sent_at=100.0204, heard_at=100.25, late_frames=3)
    assert reply.timing == Timing(20, 250, 3)
    reply.heard_at = 99.9
    assert reply.timing == Timing(20, 0, 3)


def test_a_reply_of_which_nothing_was_sent_has_no_way() -> None:
    """It may wait for another one, and never be heard."""
    assert Reply("r", received=160, received_at=100.0).timing is None


def test_the_way_does_not_tell_replies_apart() -> None:
    """Two accounts of what was heard are equal by what was heard."""
    assert HeardReply("r", 1, 2, timing=Timing(1, 2, 3)) == HeardReply("r", 1, 2)
