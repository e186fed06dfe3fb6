"""What is done in a simulated call, as both sides know it."""

from dataclasses import replace

from gateway.report.actions import Key, TransferRun
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.actions import actions


def test_the_phone_knows_keys_and_transfers_that_the_gateway_does_not_tell(call: CallResult) -> None:
    """On the clock of the call."""
    ordered = TimelineEvent(call.started_at + 2, "transfer_ordered", {"to": "+1"})
    done = actions(replace(call, keys_ms=(1_000,), events=(ordered,)), [])
    assert done.keys == (Key(1_000, None),)
    assert done.transfers == (TransferRun("+1", "transferred", 2_000),)
