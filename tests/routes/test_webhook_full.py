"""A genuine webhook of a call for which there is no room is told so, left waiting, or transferred."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.call.refusal import Refusal, TurnedAway
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import Answer, CallStatus, IncomingCall
from gateway.routes.refusing.refusals import Refused
from tests.e2e.rig import LINE, NUMBER
from tests.routes.stage import API, CALLER, PUBLIC, RESCUED, UNCERTAIN, Stage

LIMITED = {"support": LINE + RESCUED + "limits: {calls: 1}\n"}
FULL = "when_full: {say: All busy., wait_s: 60, transfer: '+14255550199'}\n"
WAITING = {"support": LINE + "limits: {calls: 1}\n" + FULL}


@pytest.mark.parametrize(
    ("lines", "limit", "drained", "reason"),
    [
        (LIMITED, 5, False, Refusal.LINE_FULL),
        (None, 1, False, Refusal.FULL),
        (None, 5, True, Refusal.DRAINING),
    ],
)
async def test_a_call_without_a_place_is_told_so(
    tmp_path: Path, lines: dict[str, str] | None, limit: int, drained: bool, reason: Refusal
) -> None:
    """In the provider's words for busy, with a line of the log and a count; whoever has a place keeps it."""
    stage = Stage(tmp_path, lines, limit)
    await stage.webhook()
    stage.calls.draining = drained
    stage.provider.says = IncomingCall("CA2", CALLER, NUMBER)
    with capture_logs() as logs:
        assert await stage.webhook() == Answer("CA2 is refused", requests=(HttpRequest("POST", f"{API}/refuse"),))
    assert [made.url for made in stage.control.made] == [f"{API}/refuse"]
    (refused,) = stage.refused
    assert (refused.reason, refused.detail) == (reason, "no room on line support")
    assert refused.fields == {"given": "busy"}
    assert stage.metric("gateway_calls_turned_away_total", given="busy") == 1
    (entry,) = logs
    assert (entry["event"], entry["provider"], entry["call"]) == ("webhook_refused", "twilio", "CA2")
    assert stage.metric("gateway_calls_refused_total", reason=reason.value) == 1
    assert [call.call_id for call in stage.calls.expected()] == ["CA1"]
    assert stage.turned_away == [TurnedAway("twilio", "CA2", "support", CALLER, NUMBER, reason)]


async def test_a_refusal_that_its_provider_does_not_take_is_counted(tmp_path: Path) -> None:
    """502, so that the provider does something itself with its call."""
    stage = Stage(tmp_path, LIMITED)
    await stage.webhook()
    stage.provider.says = IncomingCall("CA2", CALLER, NUMBER)
    stage.control.failures = [UNCERTAIN]
    assert await stage.webhook() == Refused(Refusal.PROVIDER_REFUSED, str(UNCERTAIN))
    assert stage.metric("gateway_call_control_failures_total", provider="twilio") == 1


async def test_a_call_waits_for_room_until_its_time_is_over(tmp_path: Path) -> None:
    """It hears the words once, is told how long it may still wait, and goes to the transfer; the log has two lines."""
    now, stage = [1000.0], Stage(tmp_path, WAITING)
    stage.used._now = lambda: now[0]
    await stage.webhook()
    answers, left = [], []
    for passed_s, call_id in ((0, "CA2"), (25, "CA2"), (10, "CA3"), (24, "CA2"), (1, "CA2"), (3000, "CA2")):
        now[0] += passed_s
        stage.provider.says = IncomingCall(call_id, CALLER, NUMBER)
        answer = await stage.webhook()
        assert isinstance(answer, Answer)
        answers.append(answer.body)
        wait = stage.provider.waits[-1]
        left.append(wait and wait.url)
    again = f"{PUBLIC}/answer/twilio/support?waiting="
    transferred = ("CA2 is told '' and transferred to +14255550199", None)
    assert list(zip(answers, left, strict=True)) == [
        ("CA2 is told 'All busy.'", f"{again}60"),
        ("CA2 is told ''", f"{again}35"),
        ("CA3 is told 'All busy.'", f"{again}60"),
        ("CA2 is told ''", f"{again}1"),
        transferred,
        transferred,
    ]
    assert [refused.fields["given"] for refused in stage.refused] == ["wait", "wait", "transfer", "transfer"]
    assert stage.metric("gateway_calls_turned_away_total", given="wait") == 4
    assert {call.call_id for call in stage.turned_away} == {"CA2"}  # CA3 may still get its call


async def test_a_call_for_which_there_is_room_by_now_is_connected(tmp_path: Path) -> None:
    """It asks again at the same address, and is no other call than one that has just come."""
    stage = Stage(tmp_path, WAITING)
    await stage.webhook()
    stage.provider.says = IncomingCall("CA2", CALLER, NUMBER)
    await stage.webhook()
    await stage.status(CallStatus("CA1", "completed", ended=True))
    assert await stage.webhook() == Answer("document")
    assert [call.call_id for call in stage.calls.expected()] == ["CA2"]
