"""Messages that nobody understands."""

import pytest

from gateway.call import notes
from gateway.call.bad_messages import MALFORMED_LIMIT, MALFORMED_WINDOW_S, ODD_LIMIT, BadMessage, BadMessages
from gateway.call.ending import EndCall, EndReason, LoseVoice
from gateway.call.notes import Note
from gateway.phone.events import MalformedMessage, OddMessage, UnknownMessage
from gateway.voice.events import MalformedEvent, ServiceWarning, UnknownEvent


@pytest.mark.parametrize(
    ("event", "note"),
    [
        (UnknownMessage("new"), notes.UnknownMessage("phone", "new")),
        (UnknownEvent("new"), notes.UnknownMessage("voice", "new")),
        (ServiceWarning("c", "m"), notes.ServiceWarning("c", "m")),
    ],
)
def test_what_is_not_known_is_noted(event: BadMessage, note: Note) -> None:
    """However often it comes, it ends no call."""
    bad_messages = BadMessages(0.0)
    assert all(bad_messages.handle(event, 0.0) == [note] for _ in range(2 * MALFORMED_LIMIT))


@pytest.mark.parametrize(
    ("event", "reason"),
    [(MalformedMessage("x"), EndReason.STREAM_BROKEN), (MalformedEvent("x"), EndReason.VOICE_LOST)],
)
def test_a_peer_that_breaks_its_protocol_all_the_time_is_none(event: BadMessage, reason: EndReason) -> None:
    """The fiftieth broken message within a minute ends the call, and says whose it was."""
    bad_messages = BadMessages(0.0)
    for _ in range(MALFORMED_LIMIT - 1):
        assert len(bad_messages.handle(event, 1.0)) == 1
    ended = bad_messages.handle(event, 2.0)[-1]
    assert isinstance(ended, EndCall | LoseVoice)
    end = ended if isinstance(ended, EndCall) else ended.end
    assert end.reason is reason


def test_each_leg_has_its_own_count_and_a_minute_forgives() -> None:
    """Broken messages of the other leg, or of a minute ago, do not count."""
    bad_messages = BadMessages(0.0)
    for second in range(4 * MALFORMED_LIMIT):
        event: BadMessage = MalformedMessage("x") if second % 2 else MalformedEvent("x")
        assert len(bad_messages.handle(event, second * MALFORMED_WINDOW_S / MALFORMED_LIMIT)) == 1


def test_what_can_be_read_ends_no_call() -> None:
    """A wrong key or a mark without a name costs the caller nothing; the log stays bounded all the same."""
    bad_messages = BadMessages(0.0)
    event = MalformedMessage("mark without its name", readable=True)
    told = [bad_messages.handle(event, second / 50) for second in range(5 * MALFORMED_LIMIT)]
    note = notes.MalformedMessage("phone", "mark without its name")
    assert told == [[note]] * MALFORMED_LIMIT + [[]] * 4 * MALFORMED_LIMIT
    assert bad_messages.handle(event, 2 * MALFORMED_WINDOW_S) == [note]


def test_an_odd_message_is_noted_once() -> None:
    """However often it comes; and of made-up ones only so many."""
    bad_messages = BadMessages(0.0)
    assert bad_messages.handle(OddMessage("x"), 0.0) == [notes.OddMessage("phone", "x")]
    assert bad_messages.handle(OddMessage("x"), 0.1) == []
    noted = [bad_messages.handle(OddMessage(str(number)), 0.2) for number in range(3 * ODD_LIMIT)]
    assert sum(map(len, noted)) == ODD_LIMIT - 1


@pytest.mark.parametrize(
    ("event", "leg", "end"),
    [
        (MalformedMessage("x"), "phone", (EndReason.STREAM_BROKEN, "provider")),
        (MalformedEvent("x"), "voice", (EndReason.VOICE_LOST, "service")),
    ],
)
def test_the_end_by_broken_messages_is_told(event: BadMessage, leg: notes.Leg, end: tuple[EndReason, str]) -> None:
    """Which leg, who ended, and why; the last message is noted as well."""
    bad_messages = BadMessages(0.0)
    for _ in range(MALFORMED_LIMIT - 1):
        bad_messages.handle(event, 1.0)
    note, ended = bad_messages.handle(event, 1.0)
    assert note == notes.MalformedMessage(leg, "x")
    called_off = ended.end if isinstance(ended, LoseVoice) else ended
    assert called_off == EndCall(*end, "50 malformed messages in a minute")


@pytest.mark.parametrize(("at", "ends"), [(MALFORMED_WINDOW_S, True), (MALFORMED_WINDOW_S + 0.001, False)])
def test_a_minute_is_counted_to_its_end(at: float, *, ends: bool) -> None:
    """The fiftieth at its last moment counts; a moment later a new minute begins, with one message."""
    bad_messages = BadMessages(0.0)
    for _ in range(MALFORMED_LIMIT - 1):
        bad_messages.handle(MalformedMessage("x"), 0.0)
    assert len(bad_messages.handle(MalformedMessage("x"), at)) == (2 if ends else 1)
    if not ends:
        for _ in range(MALFORMED_LIMIT - 2):
            assert len(bad_messages.handle(MalformedMessage("x"), at)) == 1
        assert len(bad_messages.handle(MalformedMessage("x"), at)) == 2


def test_twenty_odd_messages_are_noted() -> None:
    """A provider that makes up more fills no log."""
    bad_messages = BadMessages(0.0)
    noted = [bad_messages.handle(OddMessage(str(number)), 0.0) for number in range(30)]
    assert [len(notes) for notes in noted] == [1] * 20 + [0] * 10
