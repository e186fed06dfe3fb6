"""What somebody can do who knows the gateway's address and everything about it but its secrets: nothing."""

import asyncio
import contextlib
import resource
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from gateway.phone.provider import Grant
from gateway.phone.providers import PROVIDERS
from gateway.phone.token import StreamTokens
from gateway.sim.phone.webhook import SimProvider
from gateway.sim.phone.wire import SimCall
from gateway.sim.providers.plivo import signature_v3
from gateway.sim.providers.vobiz import provider as vobiz
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import LINE, NUMBER, instant, noise
from tests.kinds import POLICY, PROVEN_BY_START
from tests.virtual_time import virtual_time

SECRET = "the-vault-code-is-4711"
KEY = "the key of all tokens"
LINES = {
    "support": LINE.replace("Answer the phone.", SECRET).replace("Hello.", "4000 ms"),
    "sales": f'numbers: ["+14255550101"]\ninstructions: {SECRET}\nmodel: gpt-4.1\n',
}
STREAMS = "streams: {key: '${STREAM_KEY}'}\n"
OPEN = "streams: {auth: off}\n"
"""For attacks on a gateway whose streams anybody may open: its last line of defence."""
UPGRADE = (
    b"GET /stream/twilio HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SOCKETS = 1_000
MIB = 1 << 20


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Room for both ends of all sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * SOCKETS)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.asynccontextmanager
async def attacked(
    folder: Path, *names: str, gateway_yaml: str = STREAMS
) -> AsyncIterator[tuple[Exchange, aiohttp.ClientSession]]:
    """A gateway that serves these providers, and the attacker's client."""
    async with (
        exchange(
            folder, names or PROVIDERS, LINES, instant(), gateway_yaml=gateway_yaml, environ={"STREAM_KEY": KEY}
        ) as held,
        aiohttp.ClientSession() as http,
    ):
        yield held, http


async def refusal(http: aiohttp.ClientSession, url: str) -> int:
    """With which status a stream is refused; 101 where it is not."""
    try:
        async with http.ws_connect(url):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


def token(provider: str = "twilio", line: str = "support", *, age_s: float = 0) -> str:
    """A token as the gateway itself would have issued it, so long ago."""
    grant = Grant(line, "CA1", "+14155550123", NUMBER)
    return StreamTokens(KEY, 60).issue(provider, grant, time.time() - age_s)


KEYS: dict[str, Callable[[], str]] = {
    "none": lambda: "",
    "guessed": lambda: "x" * 200,
    "made with another key": lambda: StreamTokens("guess", 60).issue("twilio", Grant("support", "CA1"), time.time()),
    "altered": lambda: flipped(token()),
    "expired": lambda: token(age_s=61),
    "another provider's": lambda: token("plivo"),
    "another line's": lambda: token(line="sales"),
}


def flipped(text: str) -> str:
    """The text with one sign in its middle changed."""
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


@pytest.mark.parametrize("key", KEYS)
async def test_no_stream_opens_without_its_token(tmp_path: Path, key: str) -> None:
    """403 before the upgrade, and the service is not even called."""
    async with attacked(tmp_path, "twilio", "plivo") as (held, http):
        assert await refusal(http, held.stream_url("twilio", "support", KEYS[key]() or "-")) == 403
        assert await refusal(http, held.stream_url("twilio", "-", KEYS[key]() or "-")) == 403
        assert await refusal(http, held.stream_url("twilio")) == 403
        assert held.emulator.handshakes == 0


async def test_no_token_opens_a_second_stream(tmp_path: Path) -> None:
    """Who has read it in a log comes too late, while the call runs and after it."""
    async with attacked(tmp_path, "twilio") as (held, http):
        async with held.call("twilio", NUMBER) as phone:
            await held.session_of("support")
            assert await refusal(http, phone.url) == 403
        assert await refusal(http, phone.url) == 403
        assert held.emulator.handshakes == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_no_provider_s_stream_opens_without_a_proof(tmp_path: Path, provider: str) -> None:
    """Nor by a request that carries somebody's idea of that provider's credentials."""
    wrong = {"stream_secret": "x", "auth_token": "x", "api_key": "x", "client_secret": "eA==", "resource_id": "x"}
    async with attacked(tmp_path, provider) as (held, http):
        fixed, keyed = held.stream_url(provider), held.stream_url(provider, "support", "x")
        for url in (fixed, keyed) if provider not in PROVEN_BY_START else (keyed,):
            assert await refusal(http, url) == 403
            with pytest.raises(Exception, match="403"):
                async with held.call(provider, NUMBER, url=url, secrets=wrong):
                    pass
        if provider in PROVEN_BY_START:
            async with held.call(provider, NUMBER, url=fixed, secrets=wrong) as phone, asyncio.timeout(5):
                await phone.closed.wait()
            assert phone.close_code == POLICY
        assert held.emulator.handshakes == 0


async def test_nobody_learns_of_a_line(tmp_path: Path) -> None:
    """No answer holds a line's instructions, and none tells a line that there is from one that there is not."""
    paths = ["healthz", "readyz", "", "lines", "lines/support.yaml", "gateway.yaml", "../gateway.yaml"]
    async with attacked(tmp_path) as (held, http):
        for provider in PROVIDERS:
            for kind in ("answer", "status", "stream"):
                paths += [f"{kind}/{provider}", f"{kind}/{provider}/support", f"{kind}/{provider}/nonesuch"]
        told = {}
        for path in paths:
            for method in ("GET", "POST"):
                form = {"CallSid": "CA1", "From": "+14155550123", "To": NUMBER}
                async with http.request(method, f"{held.url}/{path}", data=form if method == "POST" else None) as got:
                    text = await got.text()
                    told[method, path] = (got.status, text, dict(got.headers, Date=""))
                    assert SECRET not in text + str(got.headers)
                    assert "support" not in text
        for method, path in list(told):
            if path.endswith("/support"):
                assert told[method, path] == told[method, path.replace("support", "nonesuch")]
        assert held.emulator.handshakes == 0


@contextlib.asynccontextmanager
async def talking(held: Exchange, provider: str) -> AsyncIterator[str]:
    """A call in progress, and its id; it has to be there still, and untouched, at the end of the block."""
    async with held.call(provider, NUMBER) as phone:
        await held.told("support", "reply_started")
        yield phone.call_id
        frames = phone.clock.frames
        async with asyncio.timeout(5):
            while phone.clock.frames < frames + 10:  # noqa: ASYNC110 -- the phone's clock has no such event
                await asyncio.sleep(0.02)
        assert not phone.closed.is_set()
        assert not held.fields("support", "call_ended")
        assert not [message for message in phone.messages if message.event in ("hang_up", "transfer")]
    assert (await held.told("support", "call_ended"))["reason"] == "caller_hung_up"


def over(call_id: str) -> dict[str, str]:
    """A callback of a call's end, in the fields of all providers that send forms."""
    ended = {"CallStatus": "completed", "Event": "Hangup", "From": "14155550123", "To": NUMBER[1:]}
    return {"CallUUID": call_id, "CallSid": call_id, **ended}


async def post(http: aiohttp.ClientSession, url: str, form: dict[str, str], headers: dict[str, str]) -> int:
    """The status of the answer."""
    async with http.post(url, data=form, headers=headers) as answer:
        return answer.status


def signed(held: Exchange, url: str, form: dict[str, str], nonce: str) -> dict[str, str]:
    """Plivo's signature of a request."""
    signature = signature_v3(held.accounts["plivo"].secrets["auth_token"], "POST", url, form, nonce)
    return {"X-Plivo-Signature-V3": signature, "X-Plivo-Signature-V3-Nonce": nonce}


async def test_nobody_ends_a_call_by_an_unsigned_callback(tmp_path: Path) -> None:
    """Neither unsigned, nor with a signature that was made for another call."""
    async with attacked(tmp_path, "plivo") as (held, http), talking(held, "plivo") as call_id:
        url = f"{held.url}/status/plivo"
        assert await post(http, url, over(call_id), {}) == 403
        assert await post(http, url, over(call_id), signed(held, url, over("another"), "1")) == 403


async def test_nobody_ends_a_call_by_a_callback_that_came_before(tmp_path: Path) -> None:
    """A signed request acts once; sent again it is answered, or refused, and nothing is done."""
    async with attacked(tmp_path, "plivo") as (held, http), talking(held, "plivo") as call_id:
        url, form = f"{held.url}/status/plivo", over("0a1b2c3d-0000-4000-8000-000000000001")
        headers = signed(held, url, form, "12345")
        assert await post(http, url, form, headers) == 204
        assert await post(http, url, form, headers) == 204
        assert await post(http, f"{url}/", form, headers) == 403
        assert await post(http, url, over(call_id), headers) == 403


async def test_nobody_ends_a_call_of_another_provider(tmp_path: Path) -> None:
    """An account at one provider, with its valid signatures, has no say about the calls of another one."""
    async with attacked(tmp_path, "twilio", "vobiz") as (held, http), talking(held, "twilio") as call_id:
        status = await own_callback(held, http, vobiz, call_id)
        assert status == 204


async def own_callback(held: Exchange, http: aiohttp.ClientSession, provider: SimProvider, call_id: str) -> int:
    """A provider's own callback, well signed, that this call is over."""
    url = f"{held.url}/status/{provider.name}"
    secrets = held.accounts[provider.name].secrets
    webhook = provider.webhook(SimCall("", "", call_id, "", provider.audio_formats[0], secrets), http, None)
    return await post(http, url, over(call_id), webhook.signed(url, over(call_id)))  # type: ignore[attr-defined]  # CheckpointWebhook's


async def test_nobody_transfers_a_call(tmp_path: Path) -> None:
    """No request that the gateway takes makes it command a call at the provider's."""
    async with attacked(tmp_path, "plivo") as (held, http), talking(held, "plivo") as call_id:
        form = {**over(call_id), "aleg_url": "https://evil.example", "Event": "Redirect", "transfer": "+19005550100"}
        for path in ("answer/plivo", "answer/plivo/support", "status/plivo", "transfer/plivo", f"calls/{call_id}"):
            for method in ("POST", "PUT", "DELETE"):
                async with http.request(method, f"{held.url}/{path}?{urlencode(form)}", data=form) as answer:
                    assert answer.status in (403, 404, 405)
        assert not held.apis["plivo"].requests


@contextlib.contextmanager
def within(bytes_each: int) -> Iterator[None]:
    """All of a thousand peers together may cost no more than this for each, both ends included."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < SOCKETS * bytes_each, f"{(peak - before) // SOCKETS} bytes for each socket"


Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_sockets(held: Exchange, first: bytes, count: int = SOCKETS) -> list[Peer]:
    """Connections that each said this much."""
    host, _, port = held.url.removeprefix("http://").partition(":")
    opened = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(first)
        opened.append((reader, writer))
    return opened


async def all_closed(opened: list[Peer]) -> list[bytes]:
    """Wait for the gateway to close them all; what it said last to each."""
    said = []
    for reader, writer in opened:
        with contextlib.suppress(ConnectionError):
            said.append(await reader.read())
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return said


async def is_alive(http: aiohttp.ClientSession, held: Exchange) -> bool:
    """Whether a caller would be answered now."""
    async with asyncio.timeout(5), held.call("twilio", NUMBER):
        await held.told("support", "reply_started")
    async with http.get(f"{held.url}/healthz") as answer:
        return answer.status == 200


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("first", [b"", b"GET /stream/twilio HTTP/1.1\r\nHost: x\r\nX-Slow: "], ids=["silent", "slow"])
async def test_a_thousand_half_open_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    """Who never finishes a request is closed by time-out; meanwhile callers are answered."""
    monkeypatch.setattr("gateway.routes.refusing.connections.HEAD_TIMEOUT_S", 2.0)
    async with attacked(tmp_path, "twilio") as (held, http):
        with within(100 * 1024):
            opened = await open_sockets(held, first)
            assert await is_alive(http, held)
            try:
                async with asyncio.timeout(10):
                    await all_closed(opened)
            finally:
                for _, writer in opened:
                    writer.transport.abort()
        assert len(held.gateway.calls) == 0


READ_BYTES = 256 * 1024
"""The most that asyncio reads of a connection at once."""


@pytest.mark.usefixtures("many_files")
async def test_heads_without_an_end(tmp_path: Path) -> None:
    """A megabyte of headers is let go when it has become too large, and its sender with it."""
    lines = (b"X-%d: %s\r\n" % (number, b"y" * 8000) for number in range(125))
    head = b"GET /stream/twilio HTTP/1.1\r\nHost: x\r\n" + b"".join(lines)
    async with attacked(tmp_path, "twilio") as (held, http):
        tracemalloc.start()
        try:
            async with asyncio.timeout(30), asyncio.TaskGroup() as group:
                for _ in range(300):
                    group.create_task(send_all(held, head))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 300 * (READ_BYTES + 32 * 1024)  # all are accepted at once, and each is let go after one read
        assert await is_alive(http, held)


async def send_all(held: Exchange, data: bytes) -> None:
    """Send on a connection of its own until the gateway closes it, which it does before the end."""
    loop = asyncio.get_running_loop()
    host, _, port = held.url.removeprefix("http://").partition(":")
    with socket.socket() as peer:
        peer.setblocking(False)
        await loop.sock_connect(peer, (host, int(port)))
        with contextlib.suppress(ConnectionError):
            await loop.sock_sendall(peer, memoryview(data))
            while await loop.sock_recv(peer, 1024):
                pass


@pytest.mark.usefixtures("many_files")
@virtual_time
async def test_a_thousand_streams_that_never_start(tmp_path: Path) -> None:
    """Places are bounded, a stream that stays silent loses its own by time-out, and no session is opened."""
    limits = "limits: {calls: 300, start_timeout_s: 1}\n"
    async with attacked(tmp_path, "twilio", gateway_yaml=OPEN + limits) as (held, http):
        with within(100 * 1024):
            opened = await open_sockets(held, UPGRADE)
            heads = [(await reader.readline()).split()[1] for reader, _ in opened]
            assert held.gateway.calls.limit == 300
            assert heads.count(b"101") == 300
            assert heads.count(b"503") == SOCKETS - 300
            for (_, writer), head in zip(opened, heads, strict=True):
                if head == b"503":
                    writer.close()
            async with asyncio.timeout(10):
                await all_closed(opened)
        assert held.emulator.handshakes == 0
        assert len(held.gateway.calls) == 0
        assert await is_alive(http, held)


@pytest.mark.usefixtures("many_files")
async def test_a_thousand_slow_webhooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come, or not whole, is waited for so long and no longer."""
    monkeypatch.setattr("gateway.routes.webhooks.BODY_TIMEOUT_S", 1.5)
    head = b"POST /answer/twilio HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    limits = f"limits: {{connections: {SOCKETS + 20}}}\n"
    async with attacked(tmp_path, "twilio", gateway_yaml=STREAMS + limits) as (held, http):
        with within(150 * 1024):
            opened = await open_sockets(held, head + b"Content-Length: 60000\r\n\r\n" + b"a" * 20_000)
            assert await is_alive(http, held)
            async with asyncio.timeout(20):
                said = [(await reader.readline()).split()[1] for reader, _ in opened]
                for _, writer in opened:
                    writer.close()
                await all_closed(opened)
        assert set(said) == {b"408"}


async def test_an_oversized_body_is_not_kept(tmp_path: Path) -> None:
    """A gigabyte that is announced, or sent in chunks without end, is refused after its first 64 KiB."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"a" * 65_536

    async with attacked(tmp_path, "twilio") as (held, http):
        tracemalloc.start()
        try:
            for _ in range(20):
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    async with asyncio.timeout(10), http.post(f"{held.url}/answer/twilio", data=endless()) as answer:
                        assert answer.status == 413
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20 * MIB


@virtual_time
async def test_an_oversized_frame_is_not_kept(tmp_path: Path) -> None:
    """A frame beyond the limit ends the stream by the length that it announces, whatever comes of it."""
    limits = "limits: {message_kb: 16}\n"
    async with attacked(tmp_path, "twilio", gateway_yaml=OPEN + limits) as (held, _):
        with within(100 * 1024):
            for _ in range(20):
                ((reader, writer),) = await open_sockets(held, UPGRADE, 1)
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"\x81\xff" + (1 << 30).to_bytes(8) + b"mask")
                async with asyncio.timeout(5):
                    assert (await all_closed([(reader, writer)]))[0][2:4] == (1009).to_bytes(2)
        assert held.emulator.handshakes == 0
        async with asyncio.timeout(5):
            while len(held.gateway.calls):  # noqa: ASYNC110 -- the gateway has no such event
                await asyncio.sleep(0.01)
