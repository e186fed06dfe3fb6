"""Findings about the end of a call."""

import pytest

from gateway.call.ending import ENDED_BY, EndReason
from gateway.records.explain.rules.ends import LONG_ENOUGH_MS, is_credentials, is_quota
from gateway.report.ends import FINE
from tests.records.explain.made_calls import detail, ended, note, scores

FOUND = {
    "stream_lost": "provider_closed",
    "stream_stalled": "provider_closed",
    "stream_broken": "provider_closed",
    "voice_unavailable": "session_unavailable",
    "voice_refused": "session_unavailable",
    "voice_lost": "session_unavailable",
    "voice_stalled": "session_unavailable",
    "shut_down": "shut_down",
    "shut_down_announced": "shut_down",
    "fault": "fault",
    "time_limit": "time_limit",
    "silence": "caller_silent",
}


@pytest.mark.parametrize("reason", list(EndReason))
def test_each_end_that_nobody_wanted_is_a_finding(reason: EndReason) -> None:
    """And the others are none."""
    found = scores(ended(8500, reason.value, ENDED_BY[reason], "why"), instead_of=("call_ended",))
    assert list(found) == ([FOUND[reason.value]] if reason.value in FOUND else [])
    assert reason.value in FOUND or reason.value in FINE


@pytest.mark.parametrize(
    ("text", "quota", "credentials"),
    [
        ("Voice Live answered 429: slow down", True, False),
        ("rate_limit_exceeded", True, False),
        ("Too many requests", True, False),
        ("Voice Live answered 401: Access denied", False, True),
        ("403 Forbidden", False, True),
        ("PermissionDenied", False, True),
        ("Voice Live answered 503", False, False),
        ("request 14290 of 4010", False, False),
    ],
)
def test_what_the_service_says_names_quotas_and_credentials(text: str, quota: bool, credentials: bool) -> None:
    """By its status or by its words."""
    assert (is_quota(note(1, "x", detail=text)), is_credentials(note(1, "x", detail=text))) == (quota, credentials)
    assert is_quota(note(1, "x", code=text)) == quota


def test_a_quota_explains_the_end_alone() -> None:
    """The refusal is reported once, and not as a session that was lost as well."""
    lost = note(100, "session_lost", cause="refused", detail="Voice Live answered 429")
    end = ended(8500, "voice_refused", "service", "Voice Live answered 429")
    assert list(scores(lost, end, instead_of=("call_ended",))) == ["quota"]
    limited = note(100, "response_cut_short", status="failed", detail="rate_limit_exceeded")
    assert list(scores(limited)) == ["quota"]


def test_credentials_of_a_tool_are_none_of_ours() -> None:
    """What a caller or a provider says of 401 at the end of a call is not the service's refusal."""
    assert scores(ended(8500, detail="401"), instead_of=("call_ended",)) == {}


def test_a_caller_who_says_nothing() -> None:
    """Reminded in vain and gone, or counted out by the line; a caller who speaks is not silent."""
    quiet = ("caller_spoke", "caller_paused", "caller_said", "reply_started", "reply_heard", "call_ended")
    prompt = note(4000, "silence_prompt", count=1)
    assert "caller_silent" in scores(prompt, ended(LONG_ENOUGH_MS), instead_of=quiet)
    assert "caller_silent" not in scores(prompt, ended(LONG_ENOUGH_MS - 1), instead_of=quiet)
    assert "caller_silent" not in scores(ended(LONG_ENOUGH_MS), instead_of=quiet)
    assert "caller_silent" not in scores(prompt)
    found = detail("caller_silent", prompt, ended(20_000, "silence"), instead_of=("call_ended",))
    assert found == "the caller said nothing any more, 1 reminder"
