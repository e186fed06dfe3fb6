"""The answer to a call that is not taken."""

from pathlib import Path

import msgspec
import pytest

from gateway.call.refusal import Refusal
from gateway.config import Line
from gateway.config.full import DeploymentWhenFull
from gateway.phone.providers.twilio.provider import TRAITS, TwilioWebhooks
from gateway.phone.waiting import Wait
from gateway.phone.webhook import After, Answer, IncomingCall
from gateway.routes.admitting.when_full import FullPlan, Given, answered, plan_for
from tests.e2e.rig import LINE, configuration, load

DESK = "+14255550199"
CALL = IncomingCall("CA1", "+14255550123", "+14255550100")
WAITS = FullPlan(After(say="Hold.", transfer=DESK), 60)


class Written(TwilioWebhooks):
    """Webhooks whose answers say what they were asked for."""

    def __init__(self) -> None:
        super().__init__("twilio", ())

    def refuse(self, call: IncomingCall) -> Answer:
        return Answer("busy")

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        waits = f" waits {wait.music}" if wait else ""
        return Answer(f"{follows.say}|{follows.transfer}{waits}")


def line(folder: Path, keys: str = "") -> Line:
    """A line with these keys."""
    _, lines = load(configuration(folder, {"support": LINE + keys}))
    return next(iter(lines))


def test_a_line_s_answer_stands_above_the_deployment_s(tmp_path: Path) -> None:
    """A transfer may be the name of a target."""
    default = DeploymentWhenFull(say="All busy.", wait_s=20)
    named = line(tmp_path / "a", f'when_full: {{transfer: desk}}\ntransfers: {{desk: "{DESK}"}}\n')
    assert plan_for(named, default, TRAITS, Refusal.FULL) == FullPlan(After(transfer=DESK))
    without = line(tmp_path / "b", "language: de-DE\n")
    assert plan_for(without, default, TRAITS, Refusal.FULL) == FullPlan(After(say="All busy.", language="de-DE"), 20)
    busy = line(tmp_path / "c", "when_full: busy\n")
    assert plan_for(busy, default, TRAITS, Refusal.FULL) == FullPlan()


@pytest.mark.parametrize("reason", [Refusal.CALLER_FULL, Refusal.CALLER_RATE])
def test_a_caller_with_too_many_calls_gets_busy(tmp_path: Path, reason: Refusal) -> None:
    """A transfer would let the calls through."""
    full = line(tmp_path, f'when_full: {{say: All busy., transfer: "{DESK}"}}\n')
    assert plan_for(full, DeploymentWhenFull(), TRAITS, reason) == FullPlan()


def test_what_a_provider_cannot_do_is_left_out(tmp_path: Path) -> None:
    """And nobody waits while the gateway drains."""
    full = line(tmp_path, f'when_full: {{say: Hold., wait_s: 60, transfer: "{DESK}"}}\n')
    default = DeploymentWhenFull()
    plain = msgspec.structs.replace(TRAITS, when_full=("transfer",))
    assert plan_for(full, default, plain, Refusal.FULL) == FullPlan(After(transfer=DESK))
    speaks = msgspec.structs.replace(TRAITS, when_full=("say",))
    assert plan_for(full, default, speaks, Refusal.FULL) == FullPlan(After(say="Hold."))
    assert plan_for(full, default, TRAITS, Refusal.DRAINING) == FullPlan(After(say="Hold.", transfer=DESK))


@pytest.mark.parametrize(
    ("plan", "left_s", "body", "given"),
    [
        (FullPlan(), None, "busy", Given.BUSY),
        (FullPlan(After(say="Busy.", transfer=DESK)), None, f"Busy.|{DESK}", Given.SAY),
        (FullPlan(After(transfer=DESK)), None, f"|{DESK}", Given.TRANSFER),
        (WAITS, None, "Hold.| waits ", Given.WAIT),
        (WAITS, 12.0, "| waits ", Given.WAIT),
        (WAITS, 0.0, f"|{DESK}", Given.TRANSFER),
        (FullPlan(After(say="Hold."), 60, "music"), 5.0, "| waits music", Given.WAIT),
        (FullPlan(After(say="Hold."), 60), 0.0, "|", Given.BUSY),
    ],
)
def test_the_words_come_first_and_once_then_the_wait_then_the_transfer(
    plan: FullPlan, left_s: float | None, body: str, given: Given
) -> None:
    """``left_s`` is that of a caller who has waited."""
    answer, what = answered(Written(), CALL, plan, left_s=left_s, ask_again_url="https://h/answer")
    assert (answer.body, what) == (body, given)
