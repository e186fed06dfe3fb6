"""The gateway's process vanishes in the middle of a call: what the caller gets of each provider, without asking us."""

from pathlib import Path

import pytest

from gateway.phone.providers import PROVIDERS
from gateway.phone.requests import Requests
from gateway.rest import CallControl, CallControlError
from gateway.sim.caller.dial import dial
from gateway.sim.phone.phone import SimulatedPhone
from tests.documents import ROOT
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.relay import Relay
from tests.e2e.rig import instant, noise
from tests.e2e.test_following import KEYS, RESCUE, lines
from tests.e2e.test_outlived_streams import NUMBERS, line_of
from tests.kinds import ASKING, STREAM_ONLY, rescues_by_document
from tests.virtual_time import virtual_time

WITHOUT_US = tuple(name for name in ASKING if rescues_by_document(name))
"""Their answer document says itself what follows."""
BY_OTHERS = tuple(name for name in PROVIDERS if name not in WITHOUT_US)
"""A flow or dialplan of the operator's, or another process of the gateway, says what follows."""


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


async def vanish_during(held: Exchange, relay: Relay, monkeypatch: pytest.MonkeyPatch, case: str) -> SimulatedPhone:
    """Call, and let the gateway be gone once the greeting was heard; the phone after the call's end."""

    async def nobody_asks(control: CallControl, requests: Requests) -> None:
        """A process that is gone makes no request."""

    provider, _, quirk = case.partition(" ")
    secrets, api = held.accounts[provider].secrets, held.apis[provider]
    async with dial(
        provider,
        held.stream_url(provider) if provider in STREAM_ONLY else "",
        answer_url="" if provider in STREAM_ONLY else f"{held.url}/answer/{provider}",
        to=NUMBERS[case],
        from_="+14155550123",
        secrets=secrets,
        quirks=[quirk] if quirk else [],
        api=api,
    ) as phone:
        await held.told(line_of(case), "reply_heard")
        monkeypatch.setattr(CallControl, "perform", nobody_asks)
        relay.vanish()
        await phone.closed.wait()
    return phone


@pytest.mark.parametrize("case", WITHOUT_US)
@virtual_time
async def test_the_document_rescues_the_caller_of_a_gateway_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """The stream breaks off and no webhook is answered: the words, then the rescue, by the provider alone."""
    relay = Relay()
    async with exchange(tmp_path, PROVIDERS, lines(KEYS), instant(), in_front=relay.before) as held:
        phone = await vanish_during(held, relay, monkeypatch, case)
    said = [step.text for step in phone.continuation if step.kind == "say"]
    reached = ["+" + step.text.removeprefix("+") for step in phone.continuation if step.kind == "transfer"]
    assert (said, reached) == (["Sorry."], [RESCUE])
    assert "failed" not in {step.kind for step in phone.continuation}


@pytest.mark.parametrize("case", BY_OTHERS)
@virtual_time
async def test_elsewhere_nobody_is_rescued_by_a_gateway_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """The stream ends, and of what the line says nothing follows, as the provider's page warns.

    Where a call outlives its stream, its provider tells nobody else than the gateway, and goes on without an answer.
    """
    relay = Relay()
    async with exchange(tmp_path, PROVIDERS, lines(KEYS), instant(), in_front=relay.before) as held:
        phone = await vanish_during(held, relay, monkeypatch, case)
    assert {step.kind for step in phone.continuation} <= {"hang_up"}
    assert phone.ended_by != "caller"


@virtual_time
async def test_a_call_whose_end_the_provider_is_not_told_is_rescued_rather_than_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The REST API fails when the bot has hung up: the document goes on as after a failure."""

    async def refused(control: CallControl, requests: Requests) -> None:
        raise CallControlError("POST https://api was answered with 500")

    script = instant({"say": "100 ms", "call": {"name": "end_call"}})
    async with exchange(tmp_path, ["twilio"], lines(KEYS), script) as held:
        async with held.call("twilio", NUMBERS["twilio"]) as phone:
            session = await held.session_of(line_of("twilio"))
            await held.told(line_of("twilio"), "reply_heard")
            monkeypatch.setattr(CallControl, "perform", refused)
            await session.speech_started()
            await session.speech_stopped()
            await phone.closed.wait()
        assert (await held.told(line_of("twilio"), "call_ended"))["reason"] == "bot_hung_up"
    assert [(step.kind, step.text) for step in phone.continuation[:2]] == [("say", "Sorry."), ("transfer", RESCUE)]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_providers_page_says_what_follows_without_the_gateway(provider: str) -> None:
    """In a row of its table."""
    page = (ROOT / "docs" / "providers" / f"{provider}.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| when the gateway is gone |")]
    assert len(rows) == 1, f"docs/providers/{provider}.md: expected one row: when the gateway is gone"
    has_document = "the answer document" in rows[0]
    assert has_document == (provider in WITHOUT_US)
