"""Words for calls on pages: ends with a colour, lengths, costs. Pure."""

from gateway.call.refusal import TURNED_AWAY
from gateway.records.listing import ListedCall
from gateway.records.pricing import money
from gateway.records.rows import CallRow
from gateway.report.ends import FINE

GOOD = frozenset({"caller_hung_up", "bot_hung_up", "transferred"})
"""Ends that need no second look; those that are no failure beside them have no colour."""


def end_of(call: CallRow) -> tuple[str, str]:
    """Return how a call ended, as a word and a class of its colour."""
    match call.state:
        case "running":
            return "in progress", "live"
        case "interrupted":
            return "broke off", "bad"
    words = reason_words(call.reason)
    if call.reason == TURNED_AWAY:
        words += f": {reason_words(call.detail)}"
    return words, tone_of(call.reason)


def tone_of(reason: str) -> str:
    """Return the class of the colour of an end reason."""
    return "fine" if reason in GOOD else "plain" if reason in FINE else "bad"


def reason_words(reason: str) -> str:
    """Return an end reason as words."""
    return reason.replace("_", " ") or "not known"


def failures_of(listed: ListedCall) -> list[str]:
    """Return what failed in a call, each as two words."""
    return [f"{name} failed" for name in listed.failed]


def length(seconds: float | None) -> str:
    """Return a length, such as ``1:02`` or ``1:00:02``; nothing for one that is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def cost_of(call: CallRow) -> str:
    """Return what a call has cost; nothing for one that is not priced, a sign where a part is missing."""
    if call.cost_nanos is None:
        return "unknown" if call.cost_note else ""
    return money(call.cost_nanos, call.currency) + (" +" if call.cost_note else "")


def counted(count: int, what: str) -> str:
    """Return a number of things, such as ``1 call`` or ``10,000 calls``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
