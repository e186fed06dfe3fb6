"""Findings about interruptions, and about what the caller did not hear. Pure."""

from collections.abc import Iterator

from gateway.records.explain.case import Case, counted, seconds
from gateway.records.explain.kinds import made
from gateway.report.explanation import Finding

GREETING_SHARE = 0.5
"""A greeting of which less was heard did not reach its caller."""
UNHEARD_MS = 3_000
"""In a call that is over sooner, the bot had no time."""


def interrupted(case: Case) -> Iterator[Finding]:
    """Find interruptions that nobody intended."""
    for kind, score in (("echo", 70.0), ("noise", 56.0)):
        found = [one for one in case.interruptions if one.kind == kind]
        if found:
            unheard = seconds(sum(one.unheard_ms for one in found))
            detail = f"{counted(len(found), 'interruption')}, {unheard} of the bot's words were not heard"
            yield made(kind, score + min(3 * len(found), 15), detail, [one.at_ms for one in found])


def unheard_callers(case: Case) -> Iterator[Finding]:
    """Find speech of the caller that the service did not report."""
    found = case.log.all("speech_unreported")
    if found:
        yield made("not_heard", 66 + min(len(found), 5), counted(len(found), "time"), [one.at_ms for one in found])


def unheard_bot(case: Case) -> Iterator[Finding]:
    """Find a greeting of which the caller heard little, or a bot of which the caller heard nothing."""
    greeting = case.greeting
    if greeting is not None and greeting.over_ms is not None:
        share = greeting.heard_ms / greeting.received_ms if greeting.received_ms else 1.0
        if share < GREETING_SHARE:
            detail = f"{seconds(greeting.heard_ms)} of {seconds(greeting.received_ms)} were heard"
            yield made("greeting_unheard", 64, detail, [greeting.came_ms])
    over = [reply for reply in case.replies if reply.over_ms is not None]
    heard = any(reply.heard_ms for reply in over) or len(over) < len(case.replies)
    if not heard and case.length_ms >= UNHEARD_MS and case.log.end is not None and greeting is None:
        yield made("bot_unheard", 61, f"in {seconds(case.length_ms)}")
