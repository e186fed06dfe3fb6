"""The notes of a call on the page that carries its stream: which, with what in them, and when."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.config import providers as settings
from gateway.phone.provider import Grant
from gateway.phone.providers.browser.provider import Browser
from gateway.routes import media_stream
from gateway.routes.noting.shown_notes import SHOWN, ShownNotes
from tests.phone.parts import setup
from tests.routes.stage import Run, Stage, stand_in, started

IDENTITY = CallIdentity("c-1", "browser", "support", "+14155550100", "+14155550199", "L16 24k", 100.0)


class Page:
    """What was sent to a page."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        show = Browser(settings.Browser(), setup("browser")).show_note
        self.shown = ShownNotes(show, lambda text: self.messages.append(json.loads(text)), 100.0, lambda: 107.5)

    def note(self, note: Note, at: float = 101.25) -> list[dict[str, Any]]:
        """Return what was sent for a note."""
        self.messages.clear()
        self.shown.observe(IDENTITY, TimedNote(at, note))
        return list(self.messages)


@pytest.fixture
def page() -> Page:
    """A page that has seen nothing."""
    return Page()


def test_words_that_were_not_heard_are_told_apart(page: Page) -> None:
    """With the time since the start of the call."""
    (message,) = page.note(notes.ReplyHeard("i", 400, 900, "Good day.", "What can I do?"))
    assert message == {
        "type": "note",
        "note": "reply_heard",
        "at_ms": 1250,
        "fields": {
            "item_id": "i",
            "heard_ms": 400,
            "received_ms": 900,
            "text": "Good day.",
            "unheard": "What can I do?",
        },
    }


def test_a_tool_has_the_words_of_the_report(page: Page) -> None:
    """The same as everywhere."""
    (message,) = page.note(notes.ToolReturned("order_status", "t", "ok", 400))
    assert message["fields"]["act"] == "order_status: ok after 0.4 s"
    assert message["fields"]["who"] == "tool"


def test_the_numbers_of_a_call_are_not_shown(page: Page) -> None:
    """A page needs the version of the line alone."""
    (message,) = page.note(notes.CallStarted("+14155550100", "+14155550199", "9f2c", ""))
    assert message["fields"] == {"generation": "9f2c", "line_error": ""}


def test_what_is_for_operators_stays_here(page: Page) -> None:
    """Such as errors of the service, with their words."""
    assert page.note(notes.ServiceError("rate_limit", "words of the service")) == []


def test_the_end_is_a_sentence(page: Page) -> None:
    """As in the report; it is sent before the stream is closed."""
    page.shown.ended(EndCall(EndReason.CALLER_HUNG_UP, "caller"))
    (message,) = page.messages
    assert (message["note"], message["at_ms"]) == ("call_ended", 7500)
    assert message["fields"] == {"reason": "caller_hung_up", "by": "caller", "sentence": "The caller hung up"}


@pytest.mark.parametrize("name", SHOWN)
def test_each_note_that_is_shown_exists_with_its_fields(name: str) -> None:
    """A note that gets another name would no longer be shown."""
    classes = {kind.event: kind for kind in vars(notes).values() if isinstance(kind, type) and issubclass(kind, Note)}
    fields = {field.name for field in msgspec.structs.fields(classes[name])}
    assert set(SHOWN[name]) <= fields


async def test_a_call_shows_its_notes_and_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On its own stream, the end last; a provider that shows none is sent none."""
    run = Run(notes=(notes.DigitPressed("5"),))
    monkeypatch.setattr(media_stream, "Call", stand_in(run))
    stage = Stage(tmp_path)
    assert await stage.stream("start") is not None
    quiet = await stage.stream("start", grant=Grant("support", "CA2"))
    assert quiet.sent == []
    stage.provider.show_note = lambda name, at_ms, fields: f"{name} {fields.get('digit', fields.get('reason', ''))}"
    stage.provider.events["start"] = started("CA3")
    socket = await stage.stream("start", grant=Grant("support", "CA3"))
    assert socket.sent == ["call_started ", "digit_pressed 5", "call_ended bot_hung_up"]
