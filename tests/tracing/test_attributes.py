"""What the attributes of spans may say of people."""

import pytest

from gateway.call import notes
from gateway.tracing.attributes import Privacy, fields_of

NUMBER = "+14255550100"


@pytest.mark.parametrize(("numbers", "shown"), [("none", ""), ("masked", "+1425…00"), ("full", NUMBER)])
def test_a_number_is_shown_as_asked_for(numbers: str, shown: str) -> None:
    """Not at all, by its beginning and end, or whole; one that is too short has no middle to hide."""
    privacy = Privacy(numbers=numbers)  # type: ignore[arg-type]  # pytest's parameters
    assert privacy.number(NUMBER) == shown
    assert privacy.number("") == ""
    assert Privacy(numbers="masked").number("4711") == "…"
    assert Privacy(numbers="masked").number("sip:ann@example.com") == "sip:…@example.com"
    assert Privacy(numbers="masked").number("ann@example.com") == "…@example.com"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no route to +1 (425) 555-0100 at present", "no route to … at present"),
        ("answered with 503 (code 21220) after 1500 ms", "answered with 503 (code 21220) after 1500 ms"),
        ("sip:ann@example.com is busy", "sip:…@example.com is busy"),
        ("Voice Live closed the session with 1011 (session sess_12345678901)", ""),
    ],
)
def test_a_message_shows_no_number(text: str, shown: str) -> None:
    """A provider may quote one; codes, times and ids stay. Where numbers are shown, it is as it came."""
    assert Privacy().detail(text) == (shown or text)
    assert fields_of(notes.TransferFailed("desk", text), Privacy())["detail"] == (shown or text)
    assert Privacy(numbers="full").detail(text) == text


def test_words_and_keys_are_shown_where_asked_for() -> None:
    """Else an event has what the log shows of a note; lists and empty texts are left out."""
    heard = notes.ReplyHeard("item", 900, 1000, "Your order", "")
    assert fields_of(heard, Privacy()) == {"item_id": "item", "heard_ms": 900, "received_ms": 1000}
    assert fields_of(heard, Privacy(words=True))["text"] == "Your order"
    assert fields_of(notes.DigitPressed("7"), Privacy()) == {}
    assert fields_of(notes.DigitPressed("7"), Privacy(words=True)) == {"digit": "7"}
    cut = notes.BargeIn([notes.CutReply("item", 1, 2)], response_cancelled=True)
    assert fields_of(cut, Privacy(words=True)) == {"response_cancelled": True}
    started = notes.CallStarted(NUMBER, NUMBER, "g1")
    assert fields_of(started, Privacy(numbers="masked")) == {
        "caller": "+1425…00",
        "called": "+1425…00",
        "generation": "g1",
    }
    assert fields_of(started, Privacy()) == {"generation": "g1"}
