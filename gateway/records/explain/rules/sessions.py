"""Findings about the sessions with Voice Live. Pure."""

from collections.abc import Iterator

from gateway.records.explain.case import Case, counted, seconds
from gateway.records.explain.kinds import made
from gateway.records.explain.rules.ends import is_quota
from gateway.report.explanation import Finding

HARMLESS = frozenset(("response_cancel_not_active", "item_already_truncated"))
"""Errors that follow from an interruption at the moment at which a response ended by itself."""


def lost_sessions(case: Case) -> Iterator[Finding]:
    """Find sessions that were lost, whether the call went on or not."""
    lost = [event for event in case.log.all("session_lost") if not is_quota(event)]
    if not lost:
        return
    back = case.log.all("session_recovered")
    gone = case.log.all("session_not_recovered")
    waited_ms = sum(event.ms("after_ms") for event in (*back, *gone))
    details = [f"{event.text('cause')}: {event.text('detail')}".strip(": ") for event in lost[:1]]
    details.append(f"{counted(len(back), 'time')} another session went on" if back else "no other session was found")
    details.append(f"after {seconds(waited_ms)} in all")
    yield made("session_lost", 97 if gone else 68 + waited_ms / 1000, "; ".join(details), [one.at_ms for one in lost])


def cut_over(case: Case) -> Iterator[Finding]:
    """Find sessions that were replaced while somebody spoke."""
    forced = [event for event in case.log.all("session_rolled_over") if event.fields.get("forced") is True]
    if forced:
        yield made("session_cut_over", 20, counted(len(forced), "time"), [one.at_ms for one in forced])


def failed_responses(case: Case) -> Iterator[Finding]:
    """Find responses that failed, were cut short by the service, or brought nothing."""
    failed = [event for event in case.log.all("response_cut_short") if not is_quota(event)]
    if failed:
        detail = "; ".join(sorted({f"{one.text('status')}: {one.text('detail')}".strip(": ") for one in failed}))
        yield made("response_failed", 54 + min(len(failed), 5), detail, [one.at_ms for one in failed])


def untranscribed(case: Case) -> Iterator[Finding]:
    """Find turns that could not be transcribed."""
    failed = case.log.all("transcription_failed")
    if failed:
        codes = ", ".join(sorted({one.text("code") or one.text("detail") for one in failed} - {""}))
        detail = f"{counted(len(failed), 'turn')}{f': {codes}' if codes else ''}"
        yield made("transcription_failed", 30, detail, [one.at_ms for one in failed])


def service_errors(case: Case) -> Iterator[Finding]:
    """Find errors of the service that are not harmless, nor reported elsewhere."""
    found = [event for event in case.log.all("service_error") if not is_quota(event)]
    found = [event for event in found if event.text("code") not in HARMLESS]
    if found:
        codes = ", ".join(sorted({one.text("code") or one.text("detail") for one in found} - {""}))
        yield made("service_errors", 15, f"{counted(len(found), 'error')}: {codes}", [one.at_ms for one in found])
