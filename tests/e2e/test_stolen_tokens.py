"""What somebody can do who has read a token in a log: less than nothing, and nothing to another caller."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.phone.provider import SignatureError
from gateway.phone.token import StreamTokens
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.webhook import Reply, Webhook
from gateway.sim.phone.wire import SimCall, StreamOpening
from gateway.sim.providers import PROVIDERS
from tests.e2e.exchange import CALLER, Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, instant, noise
from tests.kinds import ASKING, POLICY, PROVEN_BY_START, demands_proof, names_call
from tests.virtual_time import virtual_time

SIGNED = [name for name in ASKING if demands_proof(name)]
"""Whoever opens their streams has to prove more than that it knows our token."""
KEY = "the key of all tokens"
STREAMS, ENVIRON = "streams: {key: '${STREAM_KEY}'}\n", {"STREAM_KEY": KEY}
OVER = "the call is over: its provider has reported its end"
LINES = {"support": LINE + 'after: {transfer: "+14255550177"}\n'}


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


class Answered:
    """A call that the gateway has answered, with its stream still to be opened."""

    def __init__(self, held: Exchange, name: str, http: aiohttp.ClientSession) -> None:
        self.chosen = PROVIDERS[name]
        self.call = SimCall(
            NUMBER,
            CALLER,
            self.chosen.new_call_id(),
            self.chosen.new_stream_id(),
            self.chosen.audio_formats[0],
            held.accounts[name].secrets,
            answer_url=f"{held.url}/answer/{name}",
            status_url=f"{held.url}/status/{name}",
        )
        self.webhook: Webhook = self.chosen.webhook(self.call, http, held.apis[name])
        self.is_proven_by_start = name in PROVEN_BY_START

    @contextlib.asynccontextmanager
    async def stream(self, opening: StreamOpening, call_id: str = "") -> AsyncIterator[SimulatedPhone]:
        """Open the stream, under another call's id where one is given."""
        audio_format = opening.audio_format or self.call.audio_format
        claimed = replace(self.call, call_id=call_id or self.call.call_id, audio_format=audio_format)
        if call_id and "call_uuid" in opening.parameters:
            opening = replace(opening, parameters={**opening.parameters, "call_uuid": call_id})
        if call_id and "x-ms-call-connection-id" in opening.headers:
            opening = replace(opening, headers={**opening.headers, "x-ms-call-connection-id": call_id})
        async with SimulatedPhone.open(opening, self.chosen.wire(claimed, opening), timeout_s=10) as phone:
            yield phone


async def refused(answered: Answered, opening: StreamOpening) -> bool:
    """Whether the stream is refused with 403, or closed after a start that had to prove it."""
    try:
        async with answered.stream(opening) as phone, asyncio.timeout(5):
            if not answered.is_proven_by_start:
                return False
            await phone.closed.wait()
            return phone.close_code == POLICY
    except Exception as error:  # noqa: BLE001 -- whatever the phone makes of it
        return "403" in str(error)


@pytest.mark.parametrize("name", ASKING)
@virtual_time
async def test_a_token_of_one_call_acts_on_no_other(tmp_path: Path, name: str) -> None:
    """A start that names another call is refused, though all its proofs are right, and the other call goes on."""
    async with exchange(tmp_path, [name], LINES, instant()) as held, aiohttp.ClientSession() as http:
        async with held.call(name, NUMBER) as victim:
            await held.told("support", "reply_started")
            answered = Answered(held, name, http)
            opening = await answered.webhook.call_in()
            before = len(held.apis[name].requests)
            with capture_logs() as logs:
                async with answered.stream(opening, victim.call_id) as phone:
                    is_named = names_call(name, phone.wire, victim.call_id)  # else it claims nothing
                    if is_named:
                        await phone.closed.wait()
            assert not victim.closed.is_set()
            asked = held.apis[name].requests[before:]
            assert not [request for request in asked if victim.call_id in request.path]
            refusals = [entry for entry in logs if entry["event"] == "stream_refused"]
            assert bool(refusals) == is_named
            assert all("another call" in entry["detail"] for entry in refusals)
        started = held.fields("support", "call_started")
        assert len(started) == (1 if is_named else 2)


@pytest.mark.parametrize("name", ASKING)
@virtual_time
async def test_one_answered_call_has_one_stream(tmp_path: Path, name: str) -> None:
    """Another token of the same call, by whatever way its webhook was answered twice, opens no second one."""
    async with (
        exchange(tmp_path, [name], LINES, instant(), gateway_yaml=STREAMS, environ=ENVIRON) as held,
        aiohttp.ClientSession() as http,
    ):
        answered = Answered(held, name, http)
        opening = await answered.webhook.call_in()

        def again() -> StreamOpening:
            if name in PROVEN_BY_START:
                return replace(opening, parameters=with_another_token_in(name, opening.parameters))
            url = with_another_token(name, opening.url)
            return replace(opening, url=url, headers=answered.webhook.stream(url).headers or opening.headers)

        with capture_logs() as logs:
            async with answered.stream(opening) as phone:
                answered.webhook.connected(phone)
                await held.told("support", "reply_started")
                assert await refused(answered, again())
            assert await refused(answered, again())
        details = [entry["detail"] for entry in logs if entry["event"] == "stream_refused"]
        assert details == ["the call had its stream before"] * 2
        assert len(held.fields("support", "call_started")) == 1


def with_another_token(name: str, url: str) -> str:
    """A stream's address with another token for its call, as a second answer to the webhook would bring it."""
    head, _, token = url.rpartition("/")
    return f"{head}/{another_token(name, token)}"


def another_token(name: str, token: str) -> str:
    """Another token for the same call."""
    tokens = StreamTokens(KEY, 60)
    return tokens.issue(name, tokens.read(name, token, time.time()).grant, time.time())


def with_another_token_in(name: str, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The values of a first message, with another token in place of the one among them."""
    changed = dict(parameters)
    for key, value in parameters.items():
        with contextlib.suppress(SignatureError):
            changed[key] = another_token(name, value)
    assert changed != parameters, "no value of the first message is the token of the answer"
    return changed


@pytest.mark.parametrize("name", SIGNED)
async def test_a_token_without_the_provider_s_own_proof_opens_nothing(tmp_path: Path, name: str) -> None:
    """It stands in the logs of proxies; the caller's own stream, which has both, still opens."""
    async with exchange(tmp_path, [name], LINES, instant()) as held, aiohttp.ClientSession() as http:
        answered = Answered(held, name, http)
        opening = await answered.webhook.call_in()
        about = {key: value for key, value in opening.headers.items() if "ms-call" in key}
        assert len(about) < len(opening.headers)
        assert await refused(answered, replace(opening, headers=about))
        async with answered.stream(opening) as phone:
            answered.webhook.connected(phone)
            await held.told("support", "reply_started")


async def test_a_token_of_acs_s_day_opens_nothing_alone(tmp_path: Path) -> None:
    """It is the same for all streams of a day: without ours it proves the service, and no call."""
    async with exchange(tmp_path, ["acs"], LINES, instant()) as held, aiohttp.ClientSession() as http:
        answered = Answered(held, "acs", http)
        opening = await answered.webhook.call_in()
        for path in ("", "/support", "/-", "/support/guessed", "/-/guessed"):
            assert await refused(answered, replace(opening, url=held.stream_url("acs") + path))


async def test_vonage_s_own_proof_is_demanded_once_it_was_seen(tmp_path: Path) -> None:
    """Its form is a guess of ours: until one was right a token does, with a count, and from then on it does not."""
    async with exchange(tmp_path, ["vonage"], LINES, instant()) as held, aiohttp.ClientSession() as http:
        for number, wrong in enumerate(({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer a.b.c"})):
            answered = Answered(held, "vonage", http)
            opening = replace(await answered.webhook.call_in(), headers=wrong)
            async with answered.stream(opening):
                await held.told("support", "call_started", number + 1)
        async with held.call("vonage", NUMBER):
            await held.told("support", "call_started", 4)
        answered = Answered(held, "vonage", http)
        opening = await answered.webhook.call_in()
        assert await refused(answered, replace(opening, headers={}))
        registry = held.gateway.metrics.registry
        assert registry.get_sample_value("gateway_upgrades_unproven_total", {"provider": "vonage"}) == 3


@pytest.mark.parametrize("name", ASKING)
async def test_a_call_that_was_reported_over_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whoever kept its token comes too late, where the provider reports the end of a call."""
    asked, ask = [], Webhook.ask

    async def noted(self: Webhook, url: str, **request: Any) -> Reply:
        asked.append(url)
        return await ask(self, url, **request)

    monkeypatch.setattr(Webhook, "ask", noted)
    async with exchange(tmp_path, [name], LINES, instant()) as held, aiohttp.ClientSession() as http:
        answered = Answered(held, name, http)
        opening = await answered.webhook.call_in()
        before = len(asked)
        await answered.webhook.ended()
        is_reported = len(asked) > before
        with capture_logs() as logs:
            assert await refused(answered, opening) == is_reported
        details = [entry["detail"] for entry in logs if entry["event"] == "stream_refused"]
        assert details == [OVER] * is_reported


@virtual_time
async def test_a_process_that_did_not_answer_knows_calls_that_have_their_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of several that has not heard which connection of ACS a call got; the header's word is not enough there."""
    monkeypatch.setattr("gateway.phone.providers.acs.connections.Connections.note", lambda *_: None)
    async with exchange(tmp_path, ["acs"], LINES, instant()) as held, aiohttp.ClientSession() as http:
        async with held.call("acs", NUMBER) as victim:
            await held.told("support", "reply_started")
            answered = Answered(held, "acs", http)
            opening = await answered.webhook.call_in()
            async with answered.stream(opening, victim.call_id) as phone:
                await phone.closed.wait()
            assert not victim.closed.is_set()
        assert len(held.fields("support", "call_started")) == 1
