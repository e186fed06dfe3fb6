"""Sessions that are open before the stream is there: taken by their call alone, and closed where it does not come."""

import asyncio
import os
import re
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import serving
from gateway.audio.formats import PCMA, AudioFormat
from gateway.fleet.board import Board, board_file
from gateway.phone.provider import Grant
from gateway.phone.token import StreamTokens
from gateway.routes.sessions_ahead import UNCLAIMED_S
from gateway.sim.emulator import Emulator, Session
from gateway.sim.phone.connecting import RefusedError
from gateway.sim.phone.observed import Tick
from gateway.sim.providers.twilio import signature
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, configuration, instant, load, noise
from tests.kinds import ASKING
from tests.virtual_time import virtual_time

AHEAD = "voice_live: {open_ahead: 3}\n"
SPOKEN = {"support": LINE.replace("Hello.", "600 ms")}
CONNECT_MS = 400
SETUP_S = 0.7
"""From the answer to the stream: longer than it takes to connect."""
TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


def script() -> Any:
    """A service that takes 400 ms to connect, and nothing else."""
    return instant(latency_ms={"handshake": CONNECT_MS})


def outcomes(held: Exchange) -> Mapping[str, float]:
    """How many sessions were opened ahead, by what became of them; those that there were."""
    (family,) = held.gateway.metrics.sessions_ahead.collect()
    return {
        sample.labels["outcome"]: sample.value
        for sample in family.samples
        if sample.name.endswith("_total") and sample.value
    }


async def first_heard_ms(
    held: Exchange, provider: str, *, setup_s: float = SETUP_S, audio_format: AudioFormat | None = None
) -> int:
    """Call, and return when the bot was first heard, in milliseconds since the stream's start."""
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def tick(tick: Tick) -> None:
        if tick.heard.size and not heard.done():
            heard.set_result(tick.number * 20)

    async with held.call(provider, NUMBER, on_tick=tick, setup_s=setup_s, audio_format=audio_format):
        return await heard


async def webhook(url: str, call_id: str, *, path: str = "/answer/twilio", secret: str = "", **form: str) -> str:
    """Ask as Twilio does, and return the answer."""
    asked = {"CallSid": call_id, "From": "+14155550123", "To": NUMBER, "CallStatus": "ringing", **form}
    headers = {"X-Twilio-Signature": signature(secret, url + path, asked)}
    async with aiohttp.ClientSession() as http, http.post(url + path, data=asked, headers=headers) as answer:
        return await answer.text()


def secret_of(held: Exchange) -> str:
    """The account's secret."""
    return held.accounts["twilio"].secrets["auth_token"]


async def all_closed(emulator: Emulator) -> None:
    """Return once no session is open."""
    for session in emulator.sessions:
        await session.closed.wait()


@pytest.mark.parametrize("provider", sorted(ASKING))
@virtual_time
async def test_the_greeting_is_there_when_the_stream_is(tmp_path: Path, provider: str) -> None:
    """At every provider that asks a webhook: one session, one greeting, heard at once."""
    async with exchange(tmp_path, [provider], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        await first_heard_ms(held, provider, audio_format=None)  # where the answer names no format, this teaches it
        first = len(held.emulator.sessions)
        assert first == 1
        assert await first_heard_ms(held, provider) <= 60
        await held.told("support", "call_ended", 2)
        session = held.emulator.sessions[-1]
        assert len(held.emulator.sessions) == first + 1
        assert [record.type for record in session.received].count("response.create") == 1
        assert outcomes(held).get("claimed", 0) >= 1
        assert set(outcomes(held)) == {"claimed"}
        held.emulator.check()


@virtual_time
async def test_without_the_key_nothing_is_opened_ahead(tmp_path: Path) -> None:
    """The caller hears the greeting when the session is ready, and not before."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script()) as held:
        assert await first_heard_ms(held, "twilio") >= CONNECT_MS
        assert outcomes(held) == {}


@virtual_time
async def test_a_stream_that_comes_early_waits_for_the_same_session(tmp_path: Path) -> None:
    """It is claimed while it connects; what the caller says meanwhile is kept."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        assert CONNECT_MS - 200 <= await first_heard_ms(held, "twilio", setup_s=0.1) <= CONNECT_MS
        await held.told("support", "call_ended")
        assert len(held.emulator.sessions) == 1
        assert outcomes(held) == {"claimed": 1}
        held.emulator.check()


@virtual_time
async def test_a_session_that_nobody_claims_is_closed(tmp_path: Path) -> None:
    """Five seconds after the webhook."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        assert "<Stream" in await webhook(held.url, "CA1", secret=secret_of(held))
        begun = asyncio.get_running_loop().time()
        session = await held.emulator.session()
        await session.closed.wait()
        assert UNCLAIMED_S <= asyncio.get_running_loop().time() - begun <= UNCLAIMED_S + 0.5
        assert outcomes(held) == {"unclaimed": 1}


@virtual_time
async def test_a_call_that_ends_before_its_stream_needs_no_session(tmp_path: Path) -> None:
    """The provider's status callback closes it, within a second."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        await webhook(held.url, "CA1", secret=secret_of(held))
        session = await held.emulator.session()
        await webhook(held.url, "CA1", path="/status/twilio", secret=secret_of(held), CallStatus="completed")
        async with asyncio.timeout(1.0):
            await session.closed.wait()
        assert outcomes(held) == {"call_over": 1}


@virtual_time
async def test_a_call_that_ends_while_its_session_connects_leaves_nothing(tmp_path: Path) -> None:
    """No session is opened any more."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        await webhook(held.url, "CA1", secret=secret_of(held))
        await webhook(held.url, "CA1", path="/status/twilio", secret=secret_of(held), CallStatus="completed")
        await asyncio.sleep(1)
        assert held.emulator.open_sessions == 0
        assert outcomes(held) == {"call_over": 1}


@virtual_time
async def test_a_flood_of_webhooks_opens_no_more_than_may_wait(tmp_path: Path) -> None:
    """The rest is counted; a call beyond the bound opens its session when its stream is there."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        for number in range(20):
            await webhook(held.url, f"CA{number}", secret=secret_of(held))
        assert await first_heard_ms(held, "twilio") >= CONNECT_MS
        assert outcomes(held) == {"full": 18}
        assert len(held.emulator.sessions) == 4


@virtual_time
async def test_webhooks_that_prove_nothing_open_nothing(tmp_path: Path) -> None:
    """A wrong signature, a number of no line; and the same webhook again."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        await webhook(held.url, "CA1", secret="wrong")
        await webhook(held.url, "CA2", secret=secret_of(held), To="+14255550199")
        await asyncio.sleep(1)
        assert held.emulator.sessions == []
        for _ in range(2):
            await webhook(held.url, "CA3", secret=secret_of(held))
        await asyncio.sleep(1)
        assert len(held.emulator.sessions) == 1


@virtual_time
async def test_a_wrong_token_claims_nothing(tmp_path: Path) -> None:
    """The stream is refused, and the session waits for its own."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        await webhook(held.url, "CA1", secret=secret_of(held))
        forged = StreamTokens("another key", 60).issue("twilio", grant_of("CA1"), 0)
        url = held.stream_url("twilio", "support", forged)
        with pytest.raises(RefusedError):
            async with held.call("twilio", NUMBER, url=url, call_id="CA1"):
                pass
        await all_closed(held.emulator)
        await asyncio.sleep(UNCLAIMED_S)
        assert outcomes(held) == {"unclaimed": 1}


def grant_of(call_id: str) -> Grant:
    """What a token vouches for."""
    return Grant("support", call_id, "+14155550123", NUMBER)


@virtual_time
async def test_a_session_that_dies_while_it_waits_is_not_taken(tmp_path: Path) -> None:
    """The call opens one of its own, and is heard."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        calling = asyncio.ensure_future(first_heard_ms(held, "twilio", setup_s=2.0))  # noqa: TID251 -- awaited below
        session: Session = await held.emulator.session()
        await session.until(lambda session: any(record.type == "response.done" for record in session.sent))
        session.cut("reset")
        assert await calling >= CONNECT_MS
        assert len(held.emulator.sessions) == 2
        assert outcomes(held) == {"lost": 1}


@virtual_time
async def test_a_claimed_session_that_is_lost_is_replaced_as_any_other(tmp_path: Path) -> None:
    """Before the first sound of its greeting: another session says it."""
    slow = instant(latency_ms={"handshake": CONNECT_MS, "first_delta": 1500})
    async with exchange(tmp_path, ["twilio"], SPOKEN, slow, gateway_yaml=AHEAD) as held:
        async with held.call("twilio", NUMBER, setup_s=SETUP_S):
            await held.told("support", "session_ready")
            held.emulator.sessions[0].cut("reset")
            await held.told("support", "reply_heard")
        assert len(held.emulator.sessions) == 2
        assert [note["text"] for note in held.fields("support", "reply_said")] == ["600 ms"]
        assert outcomes(held) == {"claimed": 1}


@virtual_time
async def test_a_session_of_another_format_is_not_taken(tmp_path: Path) -> None:
    """And the next call's is opened in the format that the stream had."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        assert await first_heard_ms(held, "twilio", audio_format=PCMA) >= CONNECT_MS
        assert outcomes(held) == {"discarded": 1}
        assert await first_heard_ms(held, "twilio", audio_format=PCMA) <= 60
        assert outcomes(held) == {"discarded": 1, "claimed": 1}
        await held.told("support", "call_ended", 2)
        assert held.emulator.sessions[-1].updates[0]["input_audio_format"] == "g711_alaw"


@virtual_time
async def test_a_gateway_that_stops_closes_what_waits(tmp_path: Path) -> None:
    """At once, and leaves no task."""
    async with exchange(tmp_path, ["twilio"], SPOKEN, script(), gateway_yaml=AHEAD) as held:
        await webhook(held.url, "CA1", secret=secret_of(held))
        await held.emulator.session()
        await webhook(held.url, "CA2", secret=secret_of(held))
        service = held.emulator
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < UNCLAIMED_S
    assert all(session.closed.is_set() for session in service.sessions)


@virtual_time
async def test_a_stream_that_comes_to_another_worker_opens_its_own_session(tmp_path: Path) -> None:
    """The session of the worker that was asked is closed, and counted there."""
    gateway_yaml = f"{AHEAD}providers: {{twilio: {{}}}}\nstreams: {{key: '${{STREAM_KEY}}'}}\n"
    environ = {"TWILIO_AUTH_TOKEN": TOKEN, "STREAM_KEY": "0123456789abcdef0123456789abcdef"}
    deployment, read = load(configuration(tmp_path, SPOKEN, gateway_yaml), environ)
    async with asyncio.timeout(60), Emulator(script()) as service, AsyncExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        public = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        served = deployment.model_copy(update={"public_url": public})
        descriptor = board_file(served.limits.places)
        stack.callback(os.close, descriptor)
        boards = [Board(served.limits.places, descriptor, worker) for worker in (1, 2)]
        asked, other = [
            await stack.enter_async_context(
                serving(served, read, endpoint=service.endpoint, api_key="any", listener=one, board=board)
            )
            for one, board in zip(sockets, boards, strict=True)
        ]
        document = await webhook(public, "CA1", secret=TOKEN)
        (url,) = re.findall(r'<Stream url="([^"]+)"', document)
        there = url.replace(public.removeprefix("http"), other.url.removeprefix("http"))
        headers = {"X-Twilio-Signature": signature(TOKEN, url, {})}
        media = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {"streamSid": "MZ1", "callSid": "CA1", "mediaFormat": media, "customParameters": {}}
        async with aiohttp.ClientSession() as http, http.ws_connect(there, headers=headers) as stream:
            await stream.send_json({"event": "start", "streamSid": "MZ1", "start": start})
            while len(service.sessions) < 2:  # noqa: ASYNC110 -- the emulator has no event for it
                await asyncio.sleep(0.1)
            await asyncio.sleep(UNCLAIMED_S)
            assert service.open_sessions == 1
        counted = asked.metrics.sessions_ahead.labels("unclaimed")._value.get()
    assert counted == 1
