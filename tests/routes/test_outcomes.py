"""How calls ended, remembered for whoever is asked."""

from gateway.call.ending import EndCall, EndReason
from gateway.fleet.board import Board
from gateway.routes.outcomes import Outcomes

KEY = ("twilio", "CA1")


def test_every_end_is_remembered() -> None:
    """By the provider and the call's id; no other call has it."""
    outcomes = Outcomes(Board(1).ends)
    for reason in EndReason:
        outcomes.note_end(KEY, EndCall(reason, "bot"))
        assert outcomes.find(KEY) is reason
    assert outcomes.find(("twilio", "CA2")) is None
    assert outcomes.find(("plivo", "CA1")) is None
