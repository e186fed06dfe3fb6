"""What is kept of words and numbers."""

import re
from datetime import UTC, datetime
from typing import get_type_hints

import pytest

from gateway.call.notes import Note
from gateway.records.masking import ADDRESSES, SPOKEN, Masking, masked_number
from gateway.records.rows import CallRow, EventRow, KeyRow, Row, TransferRow, TurnRow, UsageRow

NINE = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
CALLER, CALLED, OTHER = "+14155550100", "+14255550100", "+442071838750"
HARMLESS = {
    "approved",
    "call_id",
    "cause",
    "code",
    "detail",
    "file",
    "generation",
    "how",
    "item_id",
    "leg",
    "line_error",
    "message_kind",
    "model",
    "by",
    "outcome",
    "parameter",
    "provider",
    "reason",
    "response_id",
    "server",
    "session_id",
    "status",
    "target",
    "tool",
    "voice",
}
"""Fields of notes that hold no words of a caller; in each of them a number is masked all the same."""


def rows() -> list[Row]:
    """Rows with words and numbers wherever they may stand."""
    return [
        CallRow(
            call_key="k",
            call_id="CA1",
            provider="twilio",
            line="l",
            caller=CALLER,
            called=CALLED,
            started=NINE,
            detail=f"no answer from {OTHER}",
        ),
        EventRow(call_key="k", n=0, at_ms=0, kind="call_started", fields={"caller": CALLER, "called": CALLED}),
        EventRow(call_key="k", n=1, at_ms=0, kind="caller_said", fields={"item_id": "u", "text": "My secret word"}),
        EventRow(call_key="k", n=2, at_ms=0, kind="digits_entered", fields={"digits": "4711"}),
        EventRow(call_key="k", n=3, at_ms=0, kind="reply_heard", fields={"heard_ms": 10, "unheard": "secret too"}),
        EventRow(call_key="k", n=4, at_ms=0, kind="transfer_failed", fields={"detail": f"sip:bob@pbx and {OTHER}"}),
        TransferRow(call_key="k", n=0, target="desk", outcome="failed", started_ms=1, detail=OTHER),
        TurnRow(call_key="k", n=0, who="bot", item_id="i", started_ms=0, words="secret", unheard="secret"),
        KeyRow(call_key="k", n=0, at_ms=0, digit="4711"),
        UsageRow(call_key="k", n=0, at_ms=0, response_id="r", model="m", input_text=9),
    ]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (CALLER, "+1415…00"),
        ("", ""),
        ("4711", "…"),
        ("sip:bob@example.com", "sip:…@example.com"),
        ("bob@example.com", "…@example.com"),
    ],
)
def test_a_masked_number_shows_its_ends(number: str, shown: str) -> None:
    """Nothing of an extension, nor of the user of an address."""
    assert masked_number(number) == shown


def test_everything_is_kept_where_nothing_is_to_be_masked() -> None:
    """The very rows."""
    kept = rows()
    assert all(Masking().row(row) is row for row in kept)


@pytest.mark.parametrize("numbers", ["masked", "none"])
def test_no_number_is_left(numbers: str) -> None:
    """In no field of any row; the words stay."""
    masking = Masking(numbers=numbers)  # type: ignore[arg-type]  # by the parameters above
    text = " ".join(str(masking.row(row)) for row in rows())
    assert not re.search(r"\+[0-9]{7,}|bob@", text)
    assert "My secret word" in text
    assert ("+1415…00" in text) is (numbers == "masked")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no answer from 14155550100", "no answer from 14155…00"),
        ("busy: (415) 555-0100, try later", "busy: (415)…00, try later"),
        ("HTTP 503 after 10.5 s, code 31205", "HTTP 503 after 10.5 s, code 31205"),
        ("CA0123456789 is gone", "CA0123456789 is gone"),
    ],
)
def test_a_message_keeps_its_figures_and_loses_its_numbers(text: str, kept: str) -> None:
    """However they are written; ids and codes stay."""
    assert Masking(numbers="masked").text(text) == kept


def test_a_message_loses_what_it_quotes() -> None:
    """Where words are not kept: a service may repeat them in an error."""
    assert Masking(words=False).text("cannot read 'my words' of \"hers\"") == "cannot read … of …"


def test_no_word_and_no_key_is_left() -> None:
    """The figures stay, and so do the numbers."""
    masking = Masking(words=False)
    text = " ".join(str(masking.row(row)) for row in rows())
    assert "secret" not in text
    assert "4711" not in text
    assert CALLER in text
    assert "'heard_ms': 10" in text


def test_each_text_of_a_note_is_either_masked_or_known_to_hold_no_words() -> None:
    """A note with a new field makes its author decide."""
    texts = {
        name
        for kind in Note.__subclasses__()
        for name, hint in get_type_hints(kind).items()
        if name in kind.__struct_fields__ and "str" in str(hint)
    }
    assert texts - SPOKEN - ADDRESSES <= HARMLESS
