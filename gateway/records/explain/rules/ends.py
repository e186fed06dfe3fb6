"""Findings about the end of a call. Pure."""

import re
from collections.abc import Iterator

from gateway.records.explain.case import Case, counted, seconds
from gateway.records.explain.events import Event
from gateway.records.explain.kinds import made
from gateway.report.explanation import Finding

_QUOTA = re.compile(r"\b429\b|rate.?limit|quota|too many requests", re.IGNORECASE)
_CREDENTIALS = re.compile(r"\b40[13]\b|unauthorized|permission ?denied", re.IGNORECASE)
_STREAMS = {
    "stream_lost": "the stream broke, or no audio came any more",
    "stream_stalled": "the provider stopped reading the bot's audio",
    "stream_broken": "the provider broke its own protocol",
}
_VOICES = frozenset(("voice_unavailable", "voice_refused", "voice_lost", "voice_stalled"))
LONG_ENOUGH_MS = 5_000
"""A caller who is gone so soon had no time to say anything."""


def is_quota(event: Event) -> bool:
    """Return ``True`` if an event tells of a quota that is used up."""
    return bool(_QUOTA.search(f"{event.text('code')} {event.text('detail')}"))


def is_credentials(event: Event) -> bool:
    """Return ``True`` if an event tells of credentials that were refused."""
    return bool(_CREDENTIALS.search(f"{event.text('code')} {event.text('detail')}"))


def ends(case: Case) -> Iterator[Finding]:
    """Find why the call ended, where that is nothing that anybody wanted."""
    end = case.log.end
    if end is None:
        return
    detail, at_ms = end.text("detail"), [end.at_ms]
    if case.reason in _VOICES and not (is_quota(end) or is_credentials(end)):
        yield made("session_unavailable", 95, detail, at_ms)
    elif case.reason == "fault":
        yield made("fault", 100, detail, at_ms)
    elif case.reason in _STREAMS:
        said = f"{_STREAMS[case.reason]}: {detail}" if detail else _STREAMS[case.reason]
        yield made("provider_closed", 90, said, at_ms)
    elif case.reason in ("shut_down", "shut_down_announced"):
        said = "and was told why" if case.reason == "shut_down_announced" else "and heard nothing about it"
        yield made("shut_down", 70, f"the caller was cut off after {seconds(end.at_ms)}, {said}", at_ms)
    elif case.reason == "time_limit":
        yield made("time_limit", 65, f"after {seconds(end.at_ms)}", at_ms)


def refusals(case: Case) -> Iterator[Finding]:
    """Find credentials that were refused, and quotas that are used up."""
    troubles = case.log.all(
        "session_lost", "session_not_recovered", "service_error", "response_cut_short", "call_ended"
    )
    refused = [event for event in troubles if event.kind != "call_ended" or case.reason in _VOICES]
    for kind, is_such in (("quota", is_quota), ("credentials_refused", is_credentials)):
        found = [event for event in refused if is_such(event)]
        if kind == "credentials_refused":
            found = [event for event in found if not is_quota(event) and event.kind != "response_cut_short"]
        if found:
            yield made(kind, 100, found[-1].text("detail"), [event.at_ms for event in found])


def silent_callers(case: Case) -> Iterator[Finding]:
    """Find a caller who said nothing, or nothing any more."""
    prompts = case.log.all("silence_prompt")
    spoke = bool(case.turns or case.log.all("caller_said", "digit_pressed"))
    reminded = f", {counted(len(prompts), 'reminder')}" if prompts else ""
    if case.reason == "silence":
        said = "nothing any more" if spoke else "nothing at all"
        yield made("caller_silent", 72, f"the caller said {said}{reminded}", [one.at_ms for one in prompts])
    elif not spoke and prompts and case.length_ms >= LONG_ENOUGH_MS:
        yield made("caller_silent", 60, f"nothing was heard in {seconds(case.length_ms)}{reminded}")
