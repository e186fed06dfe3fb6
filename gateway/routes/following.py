"""Decides what follows a call's stream, from ``after`` and ``on_failure`` of the line and the call's end. Pure."""

from datetime import datetime

from gateway.call.ending import EndReason
from gateway.config import Line
from gateway.config.line.line import Rescue
from gateway.path_segment import segment
from gateway.phone.provider import Provider
from gateway.phone.webhook import STREAM_ENDED, After

IN_ORDER = frozenset({EndReason.BOT_HUNG_UP, EndReason.SILENCE, EndReason.TIME_LIMIT})
"""Ends that ``after`` may name."""
GONE = frozenset({EndReason.CALLER_HUNG_UP, EndReason.TRANSFERRED})
"""Ends after which the call no longer exists at its provider, or goes another way."""
NOTHING_LEFT = frozenset(
    {
        EndReason.CALLER_HUNG_UP,
        EndReason.TRANSFERRED,
        EndReason.LINE_CLOSED,
        EndReason.SHUT_DOWN_ANNOUNCED,
        EndReason.ENDED_BY_OPERATOR,
    }
)
"""Ends that nothing follows: the caller is gone, sent away, or has heard that the line or the gateway is closed."""


def what_follows(line: Line, end: EndReason | None, now: datetime) -> After:
    """Return what is to follow. ``end`` is ``None`` for a call that never began, or whose end is not known.

    Every end that is not in order is a failure. ``on_failure`` does not apply while the line is closed at ``now``.
    """
    settings = line.settings
    if end in NOTHING_LEFT:
        return After()
    if end in IN_ORDER:
        after = settings.after
        return _after(line, after) if after is not None and end in after.ends else After()
    if settings.hours is not None and not settings.hours.is_open(now, settings.timezone):
        return After()
    return _after(line, settings.on_failure)


def may_follow(line: Line) -> bool:
    """Return whether anything may follow a stream of the line."""
    return line.settings.after is not None or line.settings.on_failure is not None


def goes_on_by_itself(provider: Provider, line: Line, now: datetime) -> bool:
    """Return whether the answer document rescues the caller of a failed call without another request to us.

    The provider must then be told whatever else is to follow, which takes its REST API.
    """
    can_be_told = provider.commands is not None and provider.commands.redirect is not None
    return can_be_told and what_follows(line, None, now) != After()


def follows_instead(line: Line, end: EndReason, now: datetime) -> After | None:
    """Return what is to follow in place of what a failure needs; ``None`` where that, or nothing, is right."""
    if end in GONE:
        return None
    after = what_follows(line, end, now)
    return None if after == what_follows(line, None, now) else after


def then_url(public_url: str, provider: str, line: str) -> str:
    """Return the URL of ours that says what follows a stream of the line."""
    return f"{public_url}/answer/{provider}/{segment(line)}?{'='.join(STREAM_ENDED)}"


def _after(line: Line, wanted: Rescue | None) -> After:
    if wanted is None:
        return After()
    return After(say=wanted.say or "", language=line.settings.language or "", transfer=line.number_of(wanted))
