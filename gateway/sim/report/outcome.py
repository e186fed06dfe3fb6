"""The outcome of a call in one sentence, and whether it failed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.phone.wire import Ender

NORMAL_CLOSE = 1000
_SENTENCES: Mapping[str, str] = {
    "caller_hung_up": "The caller hung up",
    "bot_hung_up": "The bot hung up",
    "transferred": "The bot transferred the caller",
    "line_closed": "The bot hung up: the line is closed at this hour",
    "silence": "The caller stayed silent",
    "time_limit": "The call reached its time limit",
    "shut_down": "The gateway was shut down",
    "shut_down_announced": "The gateway was shut down, and said so",
    "stream_lost": "The media stream was lost",
    "stream_stalled": "The provider stopped reading",
    "stream_broken": "The media stream was broken",
    "voice_unavailable": "Voice Live could not be reached",
    "voice_refused": "Voice Live refused the session",
    "voice_lost": "Voice Live dropped the session",
    "voice_stalled": "Voice Live stopped reading",
    "fault": "The gateway failed: a bug, with its traceback in the log",
}
_FINE = frozenset({"caller_hung_up", "bot_hung_up", "transferred", "line_closed", "silence", "time_limit"})


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
    if reason:
        told = _SENTENCES.get(reason, f"{reason.replace('_', ' ').capitalize()}, by the {by}")
    else:
        told = _ENDED_BY[result.ended_by]
    failures = []
    if reason and reason not in _FINE:
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
