"""The answer to a call that is not taken, from ``when_full`` of the line or of the deployment. Pure."""

import enum

from msgspec import Struct

from gateway.call.refusal import Refusal
from gateway.config import Line
from gateway.config.full import DeploymentWhenFull, FullAnswer, WhenFull
from gateway.phone.provider import Traits
from gateway.phone.waiting import Wait
from gateway.phone.webhook import After, Answer, IncomingCall, Webhooks

OF_THE_CALLER = frozenset({Refusal.CALLER_FULL, Refusal.CALLER_RATE})
"""Reasons that lie with the caller, who is rejected as busy: a transfer would let the calls through."""


class Given(enum.StrEnum):
    """The first thing that the caller gets; metrics and logs carry these words."""

    BUSY = "busy"
    SAY = "say"
    TRANSFER = "transfer"
    WAIT = "wait"


class FullPlan(Struct, frozen=True):
    """The steps for calls of a line for which there is no room."""

    follows: After = After()
    wait_s: float = 0.0
    music: str = ""


def plan_for(line: Line, default: DeploymentWhenFull, traits: Traits, reason: Refusal) -> FullPlan:
    """Return what a provider with these traits does with a call that is turned away for ``reason``."""
    wanted: FullAnswer = default if line.settings.when_full is None else line.settings.when_full
    if reason in OF_THE_CALLER:
        return FullPlan()
    transfer = wanted.transfer if isinstance(wanted, WhenFull | DeploymentWhenFull) else None
    named = line.settings.transfers.get(transfer or "")
    follows = After(
        say=wanted.say or "" if "say" in traits.when_full else "",
        language=line.settings.language or "",
        transfer=(named.to if named else transfer or "") if "transfer" in traits.when_full else "",
    )
    # while it drains, this process will not be there to be asked again
    waits = "wait" in traits.when_full and reason is not Refusal.DRAINING
    return FullPlan(follows, float(wanted.wait_s or 0) if waits else 0.0, wanted.music or "" if waits else "")


def answered(
    webhooks: Webhooks, call: IncomingCall, plan: FullPlan, *, left_s: float | None, ask_again_url: str
) -> tuple[Answer, Given]:
    """Return the answer to a call that is not taken, and what the caller gets first.

    ``left_s`` is how long the caller may go on waiting: ``None`` for one who has not waited yet, 0 for one who has
    waited to the end. The words come once.
    """
    follows = plan.follows
    if plan.wait_s and (left_s is None or left_s > 0):
        said = After(say=follows.say, language=follows.language) if left_s is None else After()
        return webhooks.full(call, said, Wait(ask_again_url, plan.music)), Given.WAIT
    if left_s is not None:
        return webhooks.full(call, After(transfer=follows.transfer)), Given.TRANSFER if follows.transfer else Given.BUSY
    if not follows.say and not follows.transfer:
        return webhooks.refuse(call), Given.BUSY
    return webhooks.full(call, follows), Given.SAY if follows.say else Given.TRANSFER
