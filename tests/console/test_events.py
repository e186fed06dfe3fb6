"""Server-sent events."""

from gateway.console.events import event


def test_an_event_ends_with_an_empty_line() -> None:
    """Each line of its text is one of the event's, so that no text can end it early or begin another."""
    assert event("a") == b"data: a\n\n"
    assert event("a\nevent: b\r\n\r\nc") == b"data: a\ndata: event: b\ndata: \ndata: c\n\n"
    assert event("") == b"data: \n\n"
