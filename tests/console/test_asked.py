"""The calls that the address of a page asks for."""

from datetime import UTC, datetime

from gateway.console.asked import LONGEST, Asked, asked

EVERYTHING = {
    "line": "support",
    "number": " +1 425 555 0100 ",
    "reason": "silence",
    "since": "2026-11-01",
    "until": "2026-11-30",
    "said": "Friday & co",
    "recorded": "1",
    "problem": "1",
}


def test_every_field_of_the_form_is_asked_for() -> None:
    """The last day is part of the time; a number is read in any spelling."""
    wanted = asked(EVERYTHING, may_read=True).wanted(hashes=("h",))
    assert (wanted.line, wanted.numbers, wanted.hashes, wanted.reason) == (
        "support",
        ("+14255550100",),
        ("h",),
        "silence",
    )
    assert (wanted.since, wanted.until) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert (wanted.said, wanted.recorded, wanted.problem, wanted.before) == ("Friday & co", True, True, "")


def test_states_stand_among_the_reasons() -> None:
    """A call in progress and one that broke off have none."""
    for state in ("running", "interrupted"):
        wanted = asked({"reason": state}, may_read=True).wanted()
        assert (wanted.state, wanted.reason) == (state, "")


def test_the_next_page_is_of_the_same_calls() -> None:
    """Its address has all fields, and reads as it was written."""
    first = asked(EVERYTHING, may_read=True)
    address = first.address("/calls", before="k1")
    assert address.startswith("/calls?line=support&number=%2B1+425+555+0100&")
    assert "said=Friday+%26+co" in address
    assert address.endswith("&before=k1")
    assert Asked().address("/calls") == "/calls"
    assert (first.is_narrowed, Asked().is_narrowed) == (True, False)


def test_what_cannot_be_used_is_named() -> None:
    """And takes any call, so that the page is there."""
    found = asked({"since": "yesterday", "until": "2026-02-30", "said": "secret"}, may_read=False)
    assert found.wrong == (
        "From: yesterday is no day, expected such as 2026-11-29",
        "To: 2026-02-30 is no day, expected such as 2026-11-29",
        "Said: only listeners search words",
    )
    assert not found.is_narrowed
    assert len(asked({"line": "x" * 9999}, may_read=True).line) == LONGEST
