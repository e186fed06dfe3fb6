"""Findings about interruptions, and what the caller did not hear."""

import pytest

from gateway.records.explain.rules.speech import UNHEARD_MS
from tests.records.explain.made_calls import detail, ended, note, reply, scores, turn

CUT = [{"item_id": "i1", "heard_ms": 700, "received_ms": 3000}]


def cut_by(words: str) -> list[object]:
    """An interruption of the answer in the healthy call."""
    return [note(5000, "barge_in", replies=CUT, response_cancelled=False), *turn("c2", 5000, 5800, words)]


@pytest.mark.parametrize(
    ("words", "found"), [("yes", []), ("is on its way", ["echo"]), ("", ["noise"]), ("No, stop", [])]
)
def test_interruptions_that_nobody_intended(words: str, found: list[str]) -> None:
    """An echo and noise; a caller who speaks may interrupt."""
    assert list(scores(*cut_by(words))) == found  # type: ignore[arg-type]  # events


def test_what_was_lost_by_them_is_told() -> None:
    """In seconds of the bot's words."""
    found = detail("echo", *cut_by("is on its way"))  # type: ignore[arg-type]  # events
    assert found == "1 interruption, 2.3 s of the bot's words were not heard"


def test_speech_that_the_service_did_not_report() -> None:
    """The gateway noticed it itself."""
    assert list(scores(note(5000, "speech_unreported"))) == ["not_heard"]


@pytest.mark.parametrize(("heard_ms", "found"), [(749, ["greeting_unheard"]), (750, [])])
def test_a_greeting_of_which_little_was_heard(heard_ms: int, found: list[str]) -> None:
    """Less than half of it."""
    cut = note(2020, "reply_heard", item_id="i0", heard_ms=heard_ms, received_ms=1500, text="", unheard="")
    assert list(scores(cut)) == found


@pytest.mark.parametrize(("length_ms", "found"), [(UNHEARD_MS - 1, False), (UNHEARD_MS, True)])
def test_a_bot_of_which_nothing_was_heard(length_ms: int, found: bool) -> None:
    """In a call that had time for it; a record that breaks off does not say so."""
    gone = ("reply_started", "reply_heard", "call_ended", "caller_spoke", "caller_paused", "caller_said")
    assert ("bot_unheard" in scores(ended(length_ms), instead_of=gone)) == found
    assert "bot_unheard" not in scores(note(length_ms, "x"), instead_of=gone)
    assert "bot_unheard" not in scores(*reply("i9", 100, 500), ended(length_ms), instead_of=gone)
