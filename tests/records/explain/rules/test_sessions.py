"""Findings about the sessions with Voice Live."""

from tests.records.explain.made_calls import detail, note, scores

LOST = note(3500, "session_lost", cause="stalled", detail="no answer")


def test_a_session_that_was_lost() -> None:
    """The longer it took to find another one, the likelier it explains the call; most where none was found."""
    soon = scores(LOST, note(3600, "session_recovered", after_ms=100, tries=1))
    late = scores(LOST, note(3900, "session_recovered", after_ms=4000, tries=1))
    never = scores(LOST, note(3900, "session_not_recovered", after_ms=100, tries=3))
    assert list(soon) == list(late) == list(never) == ["session_lost"]
    assert soon["session_lost"] < late["session_lost"] < never["session_lost"]
    found = detail("session_lost", LOST, note(3600, "session_recovered", after_ms=100, tries=1))
    assert found == "stalled: no answer; 1 time another session went on; after 0.1 s in all"


def test_a_session_that_rolled_over() -> None:
    """Only where somebody was speaking."""
    assert scores(note(3500, "session_rolled_over", forced=False)) == {}
    assert list(scores(note(3500, "session_rolled_over", forced=True))) == ["session_cut_over"]


def test_responses_that_failed() -> None:
    """With their status, once each."""
    failed = [note(at, "response_cut_short", status="incomplete", detail="content_filter") for at in (4200, 4300)]
    assert list(scores(*failed)) == ["response_failed"]
    assert detail("response_failed", *failed) == "incomplete: content_filter"


def test_turns_without_a_transcript() -> None:
    """By the service's code, or its words."""
    failed = note(4100, "transcription_failed", item_id="c1", code="", detail="no model")
    assert detail("transcription_failed", failed) == "1 turn: no model"


def test_errors_of_the_service() -> None:
    """One that follows from an interruption is none."""
    assert scores(note(4100, "service_error", code="response_cancel_not_active", detail="")) == {}
    found = detail("service_errors", note(4100, "service_error", code="invalid_value", detail=""))
    assert found == "1 error: invalid_value"
