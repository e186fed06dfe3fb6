"""The acts in a simulated call besides talking, as the gateway notes them and as the phone knows of them."""

from collections.abc import Sequence

from gateway.report.actions import Actions, actions_of
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent


def actions(result: CallResult, notes: Sequence[TimelineEvent]) -> Actions:
    """List what was done in a call; without notes of the gateway, what the phone knows of it."""
    ordered = [event for event in result.events if event.kind == "transfer_ordered"]
    return actions_of(notes, result.started_at, result.keys_ms, ordered)
