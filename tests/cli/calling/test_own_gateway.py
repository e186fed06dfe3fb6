"""The gateway that a simulated call brings with it: a real one, with an account of its own."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from gateway.call.record import CallIdentity, TimedNote
from gateway.cli.calling.own_gateway import CalledGateway, own_gateway
from gateway.config.providers import Providers
from gateway.errors import GatewayError
from gateway.sim.caller.call import CallPlan, place_call
from gateway.sim.providers.twilio import signature
from tests.e2e.rig import NUMBER, configuration, instant, load

CALL = {"CallSid": "CA1", "From": "+14155550123", "To": NUMBER}


async def post(gateway: CalledGateway, url: str, token: str) -> int:
    """The status of a webhook to ``url``, signed with this token."""
    headers = {"X-Twilio-Signature": signature(token, url, CALL)}
    async with aiohttp.ClientSession() as http, http.post(url, data=CALL, headers=headers) as said:
        return said.status


async def test_it_checks_as_a_real_one_does(tmp_path: Path) -> None:
    """Whatever ``gateway.yaml`` says of address, account and streams: signatures and tokens are of this call's own."""
    off = 'public_url: https://voice.example.com\nproviders: {plivo: {}}\nstreams: {auth: "off"}\n'
    deployment, lines = load(configuration(tmp_path, gateway=off))
    async with own_gateway(deployment, lines, "twilio", lambda *_: None, instant()) as gateway:
        assert urlsplit(gateway.answer_url).hostname == "127.0.0.1"
        assert await post(gateway, gateway.answer_url, gateway.secrets["auth_token"]) == 200
        assert await post(gateway, gateway.answer_url, "guessed") == 403
        assert await post(gateway, gateway.answer_url.replace("twilio", "plivo"), "any") == 404
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await http.ws_connect(gateway.answer_url.replace("/answer/", "/stream/"))
    assert gateway.secrets["auth_token"] not in repr(gateway)


async def test_two_calls_have_nothing_in_common(tmp_path: Path) -> None:
    """Each has secrets and ports of its own."""
    deployment, lines = load(configuration(tmp_path))
    async with (
        own_gateway(deployment, lines, "twilio", lambda *_: None, instant()) as first,
        own_gateway(deployment, lines, "twilio", lambda *_: None, instant()) as second,
    ):
        assert first.answer_url != second.answer_url
        assert first.secrets["auth_token"] != second.secrets["auth_token"]


@pytest.mark.parametrize("provider", Providers.model_fields)
async def test_every_provider_can_be_called(tmp_path: Path, provider: str) -> None:
    """By its own webhook and wire, to the end; the gateway tells of the call and the wire warns of nothing."""
    deployment, lines = load(configuration(tmp_path))
    plan = CallPlan([], to=NUMBER, from_="+14155550123", provider=provider, max_duration_s=0.5)
    async with own_gateway(deployment, lines, provider, lambda *_: None, instant()) as gateway:
        asked = replace(plan, answer_url=gateway.answer_url, status_url=gateway.status_url, secrets=gateway.secrets)
        result = await place_call(asked, api=gateway.api)
        await gateway.ended.wait()
    assert not result.violations
    assert gateway.emulator is not None
    assert len(gateway.emulator.sessions) == 1
    assert [event.kind for event in (gateway.timeline()[0], gateway.timeline()[-1])] == ["call_started", "call_ended"]


async def test_an_account_is_called_by_its_name(tmp_path: Path) -> None:
    """On its own routes, with the wire of its provider; the call's notes have the account's name."""
    deployment, lines = load(configuration(tmp_path))
    plan = CallPlan([], to=NUMBER, from_="+14155550123", provider="plivo", max_duration_s=0.5)
    named: list[str] = []

    def tell(identity: CallIdentity, note: TimedNote) -> None:
        named.append(identity.provider)

    async with own_gateway(deployment, lines, "plivo", tell, instant(), account="plivo-eu") as gateway:
        assert gateway.answer_url.endswith("/answer/plivo-eu")
        asked = replace(plan, answer_url=gateway.answer_url, status_url=gateway.status_url, secrets=gateway.secrets)
        result = await place_call(asked, api=gateway.api)
        await gateway.ended.wait()
    assert not result.violations
    assert set(named) == {"plivo-eu"}


async def test_without_a_script_it_needs_a_real_endpoint(tmp_path: Path) -> None:
    """The configuration's, or it says which is missing."""
    deployment, lines = load(configuration(tmp_path))
    with pytest.raises(GatewayError, match=r"voice_live\.endpoint: is not set"):
        async with own_gateway(deployment, lines, "twilio", lambda *_: None, None):
            pass
