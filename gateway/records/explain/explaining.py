"""Explains a call from its record: why it ended, who was silent, what went wrong. Pure, and the same each time."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from gateway.records.explain.case import Case, seconds
from gateway.records.explain.events import Event
from gateway.records.explain.figures import figures_of
from gateway.records.explain.rules import actions, ends, sessions, speech, waits
from gateway.report.ends import sentence_of
from gateway.report.explanation import Explanation, Finding

RULES: Sequence[Callable[[Case], Iterator[Finding]]] = (
    ends.ends,
    ends.refusals,
    ends.silent_callers,
    sessions.lost_sessions,
    sessions.cut_over,
    sessions.failed_responses,
    sessions.untranscribed,
    sessions.service_errors,
    waits.silences,
    waits.late_audio,
    waits.unconfirmed_audio,
    speech.interrupted,
    speech.unheard_callers,
    speech.unheard_bot,
    actions.keys,
    actions.tools,
    actions.transfers,
    actions.line_files,
    actions.broken_messages,
)


class Subject(Struct, frozen=True, kw_only=True):
    """The facts about a call beside its events; an empty one is not known."""

    call: str
    """The provider's id."""
    key: str = ""
    """Our own id."""
    provider: str = ""
    line: str = ""
    generation: str = ""
    caller: str = ""
    called: str = ""
    started: datetime | None = None
    state: Literal["running", "ended", "interrupted"] = "ended"
    model: str = ""
    trace_id: str = ""
    cost: str = ""
    """The cost with its currency."""
    cost_note: str = ""
    words_kept: bool = True
    """``False`` where the record holds no words."""
    words_withheld: bool = False
    """``True`` where whoever reads the explanation may not read words."""


def explain(subject: Subject, events: Sequence[Event]) -> Explanation:
    """Return why a call went as it did, by its record alone."""
    case = Case(events)
    found = [finding for rule in RULES for finding in rule(case)]
    found.sort(key=lambda finding: (-finding.score, finding.kind))
    return Explanation(
        call=subject.call,
        ended=_ended(subject, case),
        about=list(_about(subject, case)),
        findings=found,
        silences=case.silences,
        interruptions=case.interruptions,
        figures=[*figures_of(case), *_cost(subject)],
        unknown=list(_unknown(subject, case)),
    )


def _ended(subject: Subject, case: Case) -> str:
    end = case.log.end
    if end is None:
        so_far = f"the record goes to {seconds(case.length_ms)}"
        if subject.state == "running":
            return f"The call goes on: {so_far}"
        return f"The process that had the call ended without a word: {so_far}"
    by, detail = end.text("by"), end.text("detail")
    ended = f"{sentence_of(case.reason, by)} after {seconds(end.at_ms)} ({case.reason}, by the {by}"
    return f"{ended}: {detail})" if detail else f"{ended})"


def _about(subject: Subject, case: Case) -> Iterator[tuple[str, str]]:
    started, ready = case.log.first("call_started"), case.log.first("session_ready")
    generation = subject.generation or (started.text("generation") if started else "")
    known = {
        "Call": subject.call,
        "Key": "" if subject.key == subject.call else subject.key,
        "Started": f"{subject.started:%Y-%m-%d %H:%M:%S} UTC" if subject.started else "",
        "Provider": subject.provider,
        "Line": f"{subject.line}, generation {generation}" if generation else subject.line,
        "Caller": subject.caller,
        "Called": subject.called,
        "Model": subject.model or (ready.text("model") if ready else ""),
        "Session": ready.text("session_id") if ready else "",
        "Trace": subject.trace_id,
    }
    yield from ((name, value) for name, value in known.items() if value)


def _cost(subject: Subject) -> Iterator[tuple[str, str]]:
    if subject.cost or subject.cost_note:
        yield "Cost", f"{subject.cost or 'not known'}{f' ({subject.cost_note})' if subject.cost_note else ''}"


def _unknown(subject: Subject, case: Case) -> Iterator[str]:
    """Say what this record cannot show, so that nobody reads more into it."""
    if not case.log.events:
        yield "The record has no events: nothing can be said about the call."
        return
    if case.log.end is None:
        yield f"The record breaks off after {seconds(case.length_ms)}: how the call ended is not known."
        if any(reply.over_ms is None for reply in case.replies):
            yield "What was heard of the last reply is not known."
    if subject.words_withheld:
        yield "Words are read by listeners alone: an echo cannot be told from other speech."
    elif not subject.words_kept:
        yield "No words are kept (records.words): an echo cannot be told from other speech."
    elif case.turns and not case.log.all("caller_said"):
        yield "No turn of the caller has a transcript: an echo cannot be told from other speech."
    if case.log.all("caller_said") and not case.log.all("caller_spoke"):
        yield "The record does not say when the caller began to speak: silences may be shorter than shown."
