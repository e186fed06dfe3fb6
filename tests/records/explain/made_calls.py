"""Calls made of a few events, for tests of what explains them."""

from gateway.records.explain.case import Case
from gateway.records.explain.events import Event
from gateway.records.explain.explaining import Subject, explain


def note(at_ms: float, kind: str, **fields: object) -> Event:
    """A note of a call."""
    return Event(at_ms, kind, fields)


def ended(
    at_ms: float, reason: str = "caller_hung_up", by: str = "caller", detail: str = "", **fields: object
) -> Event:
    """The last note of a call."""
    known = {"reason": reason, "by": by, "detail": detail, "provider": "twilio", "late_frames": 0, "marks_lost": 0}
    return Event(at_ms, "call_ended", {**known, **fields})


def reply(item: str, came: float, ms: int, *, of: int = 0, latency: int | None = 300, late: int = 0,
          text: str = "It is on its way.", heard_after: int = 20) -> list[Event]:  # fmt: skip
    """A reply that came, was heard for ``ms`` of its audio, and is over."""
    begun = [note(came, "reply_started", item_id=item, latency_ms=latency)]
    begun += [note(came, "reply_said", item_id=item, text=text)]
    over = came + heard_after + ms
    heard = note(over, "reply_heard", item_id=item, heard_ms=ms, received_ms=of or ms, text=text, unheard="")
    way = note(over, "reply_played", item_id=item, sent_after_ms=0, heard_after_ms=heard_after, late_frames=late)
    return [*begun, heard, *([way] if ms else [])]


def turn(item: str, start: float, end: float, words: str = "Hello?", *, over_reply: bool = False) -> list[Event]:
    """A turn of the caller; without words it has no transcript."""
    said = [note(end, "caller_said", item_id=item, text=words)] if words else []
    return [note(start, "caller_spoke", item_id=item, over_reply=over_reply), note(end, "caller_paused"), *said]


def healthy() -> list[Event]:
    """A call of a greeting, a question and an answer, without a finding."""
    return [
        note(0, "call_started", caller="+1", called="+2", generation="g1", line_error=""),
        note(80, "session_ready", session_id="s", model="m"),
        note(300, "response_started", response_id="r0", asked=True),
        *reply("i0", 500, 1500, latency=None),
        *turn("c1", 3000, 4000),
        note(4100, "response_started", response_id="r1", asked=False),
        *reply("i1", 4500, 3000, latency=500),
        ended(8500),
    ]


def without(*kinds: str) -> list[Event]:
    """The healthy call without some of its events."""
    return [event for event in healthy() if event.kind not in kinds]


def scores(*more: Event, instead_of: tuple[str, ...] = ()) -> dict[str, float]:
    """The findings of the healthy call with further events, each with its score, ranked."""
    found = explain(Subject(call="c"), [*without(*instead_of), *more]).findings
    return {finding.kind: finding.score for finding in found}


def detail(kind: str, *more: Event, instead_of: tuple[str, ...] = ()) -> str:
    """The figures that a finding tells."""
    found = explain(Subject(call="c"), [*without(*instead_of), *more]).findings
    return next(finding.detail for finding in found if finding.kind == kind)


def case(*events: Event) -> Case:
    """The case of these events alone."""
    return Case(events)
