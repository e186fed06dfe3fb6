"""The parts of a webhook that are on the tape of its call."""

from pathlib import Path

import pytest

from gateway.call.refusal import Refusal
from gateway.errors import WireError
from gateway.phone.provider import SignatureError
from gateway.phone.webhook import Answer, IncomingCall, WebhookRequest
from gateway.routes.refusing.refusals import Refused
from tests.e2e.rig import NUMBER
from tests.routes.stage import CALLER, PUBLIC, Stage, Taping

REQUEST = WebhookRequest("POST", f"{PUBLIC}/status/twilio", {})


@pytest.mark.parametrize(
    ("line", "says", "answer", "refused"),
    [
        ("", IncomingCall("CA1", CALLER, NUMBER), Answer("document"), ""),
        ("", WireError("expected CallSid"), None, "expected CallSid"),
        ("gone", IncomingCall("CA1", CALLER, NUMBER), None, "no such line here"),
    ],
)
async def test_a_webhook_is_taped_with_its_answer(
    tmp_path: Path, line: str, says: IncomingCall | WireError, answer: Answer | None, refused: str
) -> None:
    """Or with the reason of its refusal, which says what the provider sent that we do not expect."""
    taping = Taping()
    stage = Stage(tmp_path, tapes=taping)
    stage.provider.says = says
    await stage.webhooks._verified(stage.provider, REQUEST, line, stage.webhooks._answer)
    assert taping.taped == [("twilio", REQUEST, answer, refused)]


async def test_a_webhook_that_proves_nothing_is_taped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With why: the provider may sign in another way than is known here. The log has its address, without the query."""
    taping = Taping()
    stage = Stage(tmp_path, tapes=taping)

    def verify(request: WebhookRequest, now_s: float) -> str:
        raise SignatureError("another signature")

    monkeypatch.setattr(stage.provider, "verify", verify)
    request = WebhookRequest("POST", f"{REQUEST.url}?secret=1", {})
    outcome = await stage.webhooks._verified(stage.provider, request, "", stage.webhooks._answer)
    assert taping.taped == [("twilio", request, "another signature")]
    assert outcome == Refused(Refusal.BAD_SIGNATURE, "another signature", fields={"url": REQUEST.url})
