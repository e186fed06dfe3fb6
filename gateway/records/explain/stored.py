"""Takes from a stored call what explains it. Pure."""

from gateway.records.explain.events import Event
from gateway.records.explain.explaining import Subject
from gateway.records.pricing import decimal_text
from gateway.records.stored_call import StoredCall

SPOKEN = "caller_said"


def of_stored(stored: StoredCall) -> tuple[Subject, list[Event]]:
    """Return the facts about a call, and its events."""
    call = stored.call
    events = [Event(event.at_ms, event.kind, event.fields) for event in stored.events]
    cost = "" if call.cost_nanos is None else f"{decimal_text(call.cost_nanos)} {call.currency}".strip()
    said = [event for event in events if event.kind == SPOKEN]
    subject = Subject(
        call=call.call_id or call.call_key,
        key=call.call_key,
        provider=call.provider,
        line=call.line,
        generation=call.generation,
        caller=call.caller,
        called=call.called,
        started=call.started,
        state=call.state,
        model=call.model,
        trace_id=call.trace_id,
        cost=cost,
        cost_note=call.cost_note,
        words_kept=not said or any(event.text("text") for event in said),
    )
    return subject, events
