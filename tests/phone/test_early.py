"""What comes before a start, counted."""

from gateway.phone.early import KINDS_LIMIT, Early
from gateway.phone.events import CallerAudio, DigitPressed, MalformedMessage, MarkReturned, UnknownMessage


def test_kinds_are_counted_without_their_content() -> None:
    """A key that was pressed is nobody's business; a broken message says what was wrong with it."""
    early = Early()
    assert not early
    for event in (
        *(CallerAudio(b"a"), CallerAudio(b"b"), DigitPressed("7"), MarkReturned("m1"), None),
        *(UnknownMessage("new"), MalformedMessage("mark without its name", readable=True)),
    ):
        early.add(event)
    assert early
    assert str(early) == ("2 × audio, 1 × a key, 1 × a mark, 1 × an empty message, 1 × new, 1 × mark without its name")


def test_made_up_kinds_are_bounded() -> None:
    """A peer that invents a kind a message does not fill the memory."""
    early = Early()
    for number in range(1000):
        early.add(UnknownMessage(str(number)))
    early.add(UnknownMessage("3"))
    assert str(early).count("×") == KINDS_LIMIT + 1
    assert str(early).endswith(f"{1000 - KINDS_LIMIT} × others")
    assert "2 × 3" in str(early)
