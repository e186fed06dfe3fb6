"""What a seed decides: the same seed draws the same faults, and each fault draws for itself."""

from typing import Any

from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.faults.drawing import planned

CUT = {"kind": "cut", "when": {"s": [0, 100]}}
SOME = {"kind": "vanish", "when": {"s": 1}, "probability": 0.5}


def plan(*, service: list[Any] | None = None, phone: list[Any] | None = None) -> FaultPlan:
    """A plan of these faults."""
    return FaultPlan.model_validate({"service": service or [], "phone": phone or []})


def test_the_same_seed_draws_the_same() -> None:
    """And another one something else."""
    some = plan(service=[CUT, {"kind": "reset", "when": {"reply": [1, 9], "delta": [1, 9]}}])
    assert planned(some, "service", 7) == planned(some, "service", 7)
    assert planned(some, "service", 7) != planned(some, "service", 8)


def test_a_fault_more_changes_no_other() -> None:
    """Whoever adds a fault to a file keeps the calls that the others made."""
    before = planned(plan(service=[CUT]), "service", 7)
    assert planned(plan(service=[CUT, CUT]), "service", 7)[:1] == before
    assert planned(plan(service=[CUT], phone=[SOME]), "service", 7) == before


def test_a_moment_is_drawn_within_its_range() -> None:
    """Both ends included, for numbers."""
    some = plan(service=[{"kind": "cut", "when": {"reply": [1, 3], "delta": [2, 4]}}])
    moments = [planned(some, "service", seed)[0].at for seed in range(200)]
    assert {moment.reply for moment in moments} == {1, 2, 3}
    assert {moment.delta for moment in moments} == {2, 3, 4}
    seconds = [planned(plan(service=[CUT]), "service", seed)[0].at.s for seed in range(200)]
    assert all(s is not None and 0 <= s <= 100 for s in seconds)


def test_a_probability_is_kept() -> None:
    """Over many seeds, half of what strikes half of the time."""
    struck = sum(len(planned(plan(phone=[SOME]), "phone", seed)) for seed in range(1000))
    assert 450 < struck < 550


def test_both_sides_report_to_one_account() -> None:
    """What struck is one list, in the order of time."""
    both = drawn(plan(service=[{"kind": "refuse", "status": 429}], phone=[{"kind": "vanish", "when": {"s": 1}}]), 1)
    both.service.connect().refuses(5.0)
    both.phone.tick(1.0, 6.0, audible=False)
    assert [(one.at, one.side, one.kind, one.connection) for one in both.struck] == [
        (5.0, "service", "refuse", 1),
        (6.0, "phone", "vanish", 0),
    ]
