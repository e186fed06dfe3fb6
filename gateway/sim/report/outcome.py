"""The outcome of a call in one sentence, and whether it failed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.report.ends import FINE, sentence_of
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.phone.wire import Ender

NORMAL_CLOSE = 1000


@dataclass(frozen=True)
class Outcome:
    """The outcome: ``told`` is a sentence without its full stop; ``failures`` are empty where all was well.

    ``gateway`` is the gateway's own account of the end, ``phone`` what the phone saw of it.
    """

    told: str
    failures: tuple[str, ...]
    gateway: str
    phone: str


_ENDED_BY: Mapping[Ender, str] = {
    "caller": "The caller hung up",
    "gateway": "The gateway ended the call",
    "network": "The stream was lost",
}


def outcome(result: CallResult, notes: Sequence[TimelineEvent]) -> Outcome:
    """Return how the call ended: by the gateway's account where there is one, else by what the phone saw."""
    ended = next((note.fields for note in notes if note.kind == "call_ended"), {})
    reason, by, detail = (str(ended.get(name, "")) for name in ("reason", "by", "detail"))
    told = sentence_of(reason, by) if reason else _ENDED_BY[result.ended_by]
    failures = []
    if reason and reason not in FINE:
        failures.append(f"{told}: {detail}" if detail else told)
    elif result.failure:
        failures.append(result.failure)
    elif result.ended_by == "gateway" and result.close_code != NORMAL_CLOSE:
        failures.append(f"The gateway closed the stream with {result.close_code or 'no code'}")
    if not result.measures.bot:
        failures.append("The bot was never heard")
    code = f", close code {result.close_code}" if result.close_code else ""
    return Outcome(
        told,
        tuple(failures),
        f"{reason}, by {by}{f': {detail}' if detail else ''}" if reason else "",
        f"{result.end_reason or 'no reason'} (ended on the side of the {result.ended_by}{code})",
    )
