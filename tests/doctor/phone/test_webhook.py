"""Where a number points, and its codecs."""

from collections.abc import Sequence

import pytest

from gateway.doctor.phone.webhook import codecs_row, webhook_row
from gateway.phone.pointing import Change
from gateway.phone.requests import HttpRequest

ANSWER = "https://gw.example.com/answer/telnyx"


def change(before: str = "", codecs: Sequence[str] = ()) -> Change:
    """What was found of a number."""
    return Change(
        "number +14255550100",
        before,
        ANSWER,
        HttpRequest("POST", ""),
        codecs=codecs,
        usable_codecs=("G711U", "G711A"),
    )


@pytest.mark.parametrize(
    ("before", "outcome", "words"),
    [
        (ANSWER, "fine", "points here"),
        (f"{ANSWER}/", "fine", "points here"),
        (f"{ANSWER}/sales", "fine", "at the line sales"),
        (f"{ANSWER}/gone", "failed", "the line gone, which is not there"),
        ("https://old.example.com/voice", "failed", "points at https://old.example.com/voice, expected"),
        ("https://gw.example.com/answer/twilio", "failed", "expected"),
        ("", "failed", "has none"),
    ],
)
def test_a_webhook(before: str, outcome: str, words: str) -> None:
    """Ours, with a line or without; all else is somebody else's."""
    row = webhook_row(change(before), ANSWER, ["sales"], "gateway point", "x")
    assert row.outcome == outcome
    assert words in row.detail
    assert row.remedy == ("" if outcome == "fine" else "gateway point")


@pytest.mark.parametrize(
    ("codecs", "outcome", "words"),
    [
        (("G711U", "G711A"), "fine", "G711U, G711A"),
        (("G722", "G711U"), "failed", "streams in G722 are refused"),
        (("G711A", "OPUS", "G722"), "reduced", "calls that come in OPUS or G722 are refused"),
    ],
)
def test_codecs(codecs: Sequence[str], outcome: str, words: str) -> None:
    """The first one is what calls usually come in."""
    row = codecs_row(change(codecs=codecs), "x")
    assert row is not None
    assert row.outcome == outcome
    assert words in row.detail


def test_no_codecs() -> None:
    """Most providers do not tell them."""
    assert codecs_row(change(), "x") is None
