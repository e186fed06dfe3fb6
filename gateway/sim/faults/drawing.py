"""Draws what a seed decides: which faults strike, and when. The same seed draws the same faults."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.sim.faults.phone import PhoneFaults
from gateway.sim.faults.plan import Fault, FaultPlan, Moment, PhoneMoment, Planned, ServiceMoment, Side, Struck
from gateway.sim.faults.service import ServiceFaults


@dataclass(frozen=True)
class Drawn:
    """The faults of one call: those of its connections to the service, those of its stream, and what has struck."""

    seed: int
    service: ServiceFaults
    phone: PhoneFaults
    struck: list[Struck] = field(default_factory=list)


def drawn(plan: FaultPlan, seed: int) -> Drawn:
    """Draw the faults of a call. Each draws for itself: one more fault in the file changes no other."""
    struck: list[Struck] = []
    service, phone = planned(plan, "service", seed), planned(plan, "phone", seed)
    frames = random.Random(f"{seed} frames")  # noqa: S311 -- repeatable, and no secret
    return Drawn(seed, ServiceFaults(service, struck), PhoneFaults(phone, frames, struck), struck)


def planned(plan: FaultPlan, side: Side, seed: int) -> list[Planned]:
    """Return the faults of one side that strike by this seed, each with its moment."""
    faults: Sequence[Fault] = plan.service if side == "service" else plan.phone
    found = []
    for number, fault in enumerate(faults):
        dice = random.Random(f"{seed} {side} {number}")  # noqa: S311 -- repeatable, and no secret
        strikes = dice.random() < fault.probability
        moment = _moment(getattr(fault, "when", None), dice)
        if strikes:
            found.append(Planned(fault, moment))
    return found


def _moment(when: ServiceMoment | PhoneMoment | None, dice: random.Random) -> Moment:
    match when:
        case ServiceMoment():
            return Moment(
                s=_seconds(when.s, dice),
                reply=_count(when.reply, dice),
                delta=_count(when.delta, dice),
                event=when.event,
                nth=_count(when.nth, dice) or 1,
            )
        case PhoneMoment():
            return Moment(
                s=_seconds(when.s, dice), reply=_count(when.reply, dice), heard_s=_seconds(when.heard_s, dice) or 0.0
            )
        case _:
            return Moment(s=0.0)


def _seconds(value: float | tuple[float, float] | None, dice: random.Random) -> float | None:
    return round(dice.uniform(*value), 3) if isinstance(value, tuple) else value


def _count(value: int | tuple[int, int] | None, dice: random.Random) -> int | None:
    return dice.randint(*value) if isinstance(value, tuple) else value
