"""Call control against a provider's REST API that misbehaves."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from gateway import rest
from gateway.config.providers import Twilio as Settings
from gateway.phone.providers.twilio.provider import Twilio
from gateway.phone.requests import HttpRequest
from gateway.rest import CallControl, CallControlError, described
from tests.phone.parts import commands, setup, written


@asynccontextmanager
async def api(*statuses: int, body: str = "", retry_after: str = "") -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A REST API that answers with these statuses, the last one again and again; 0 never answers."""
    seen: list[web.Request] = []
    over = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        seen.append(request)
        await request.read()
        status = statuses[min(len(seen), len(statuses)) - 1]
        if not status:
            await over.wait()
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(
            status=status, text=body, headers=headers | ({"Retry-After": retry_after} if retry_after else {})
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        over.set()
        await runner.cleanup()


def head(status: int, length: int) -> bytes:
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n\r\n".encode()


@asynccontextmanager
async def speaking(*pieces: bytes, ends: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers with these pieces, each in a segment of its own; then it may end the connection."""
    seen: list[bytes] = []
    serving: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                seen.append(await reader.readuntil(b"\r\n\r\n"))
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.02)  # so that it is read before the next one is there
                if ends:
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", seen
        await asyncio.gather(*filter(None, serving))


@pytest.fixture
def waited_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the waits between tries, which take no time here."""
    noted: list[float] = []

    async def sleep(delay_s: float) -> None:
        noted.append(delay_s)

    monkeypatch.setattr(rest, "sleep", sleep)
    return noted


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow one another at once."""
    monkeypatch.setattr(rest, "BACKOFF_S", 0.0)


async def test_requests_are_made_in_order() -> None:
    """Method, headers and body arrive as they were described."""
    async with api(200, body="done") as (url, seen), CallControl() as control:
        await control.perform(
            [HttpRequest("POST", f"{url}/a", {"X-Key": "k"}, b"one"), HttpRequest("DELETE", f"{url}/b")]
        )
    assert [(request.method, request.path) for request in seen] == [("POST", "/a"), ("DELETE", "/b")]
    assert seen[0].headers["X-Key"] == "k"
    assert await seen[0].read() == b"one"


@pytest.mark.parametrize("pieces", [(b'{"keys":', b"[1,2]}"), (b"{", b'"keys"', b":[1,2]", b"}"), (b'{"keys":[1,2]}',)])
async def test_an_answer_in_pieces_is_read_whole(pieces: tuple[bytes, ...]) -> None:
    """However many segments it comes in; the rest of a key set or of a token is not lost."""
    async with speaking(head(200, sum(map(len, pieces))), *pieces) as (url, _), CallControl() as control:
        assert await control.fetch(HttpRequest("GET", url)) == b'{"keys":[1,2]}'


async def test_an_answer_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of an answer is not enough for a query; for a command the status is enough."""
    monkeypatch.setattr(rest, "ANSWER_LIMIT", 1000)
    async with api(200, body="x" * 100_000) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="answered with more than 1000 bytes"):
            await control.perform([HttpRequest("GET", url, repeatable=True)])
        assert len(seen) == 1
        await control.perform([HttpRequest("POST", url)])


async def test_an_answer_that_breaks_off() -> None:
    """Half of what was asked for is nothing; of a command the status tells enough, and it is not given twice."""
    async with speaking(head(200, 100), b"half", ends=True) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="failed"):
            await control.perform([HttpRequest("GET", url, repeatable=True)])
        assert len(seen) == rest.TRIES
        await control.perform([HttpRequest("POST", url)])
        assert len(seen) == rest.TRIES + 1


async def test_each_request_says_what_is_as_good_as_done() -> None:
    """404 is an end that was wanted, and a transfer that did not happen."""
    async with api(404) as (url, seen), CallControl() as control:
        await control.perform([HttpRequest("POST", url, gone=(404,))])
        with pytest.raises(CallControlError, match="404"):
            await control.perform([HttpRequest("POST", url)])
    assert len(seen) == 2


@pytest.mark.parametrize("repeatable", [False, True])
@pytest.mark.parametrize(
    ("status", "is_done"), [(429, "no"), (503, "no"), (502, "perhaps"), (504, "perhaps"), (500, "")]
)
async def test_what_was_not_carried_out_is_tried_again(status: int, is_done: str, repeatable: bool) -> None:
    """A provider that was busy has done nothing; a proxy may have passed on what it has no answer to."""
    async with api(status, 200) as (url, seen), CallControl() as control:
        request = HttpRequest("POST", url, repeatable=repeatable)
        if is_done == "no" or (is_done and repeatable):
            await control.perform([request])
            assert len(seen) == 2
        else:
            with pytest.raises(CallControlError, match=str(status)):
                await control.perform([request])
            assert len(seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
@pytest.mark.parametrize(("repeatable", "tries"), [(False, 1), (True, rest.TRIES)])
async def test_a_connection_that_is_lost(method: str, repeatable: bool, tries: int) -> None:
    """Nobody knows whether it was carried out: digits are not dialled twice, whatever method dials them."""
    async with speaking(ends=True) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="failed"):
            await control.perform([HttpRequest(method, url, repeatable=repeatable)])
    assert len(seen) == tries


async def test_no_connection_is_used_that_may_just_be_closed() -> None:
    """A request that may not be repeated would fail on it for nothing: idle ones are dropped before servers do."""
    async with CallControl() as control:
        assert control._http is not None
        assert isinstance(control._http.connector, aiohttp.TCPConnector)
        assert control._http.connector._keepalive_timeout == rest.KEEP_ALIVE_S < 5


@pytest.mark.parametrize("asked", ["2", "0", "soon", "-1", "nan"])
async def test_the_provider_says_when(waited_s: list[float], asked: str) -> None:
    """Its wait is kept where it is longer than ours; what is no time is none."""
    async with api(429, 200, retry_after=asked) as (url, _), CallControl() as control:
        await control.perform([HttpRequest("POST", url)])
    assert waited_s == [2.0 if asked == "2" else 0.0]


async def test_a_wait_that_no_caller_can_bear(waited_s: list[float]) -> None:
    """It is given up at once, and the log says what the provider asks for."""
    async with api(429, 200, retry_after="120") as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="asks to wait for 120 s, which is too long"):
            await control.perform([HttpRequest("POST", url)])
    assert (len(seen), waited_s) == (1, [])


def test_a_wait_may_be_a_date() -> None:
    """As RFC 9110 §10.2.3 writes it; one that is over is none."""
    assert rest.retry_after_s("Wed, 21 Oct 2015 07:28:05 GMT", 1_445_412_480.0) == 5.0
    assert rest.retry_after_s("Wed, 21 Oct 2015 07:28:05 GMT", 1_445_412_490.0) == 0.0
    assert rest.retry_after_s("", 0.0) == 0.0


async def test_a_refusal_is_told_in_one_line() -> None:
    """Where, what status, and the provider's own words; without the query, which may hold a secret."""
    async with api(400, body='{"message":\n"no such call"}') as (url, _), CallControl() as control:
        with pytest.raises(CallControlError) as caught:
            await control.perform([HttpRequest("POST", f"{url}/calls?key=s3cret")])
    assert str(caught.value) == f"POST {url}/calls was answered with 400"
    assert caught.value.answer == '{"message": "no such call"}'


@pytest.mark.parametrize(("status", "refused"), [(400, True), (404, True), (409, True), (500, True), (504, False)])
async def test_what_was_refused_was_not_done(status: int, refused: bool) -> None:
    """Something in between cannot say so, and nor can silence."""
    async with api(status) as (url, _), CallControl() as control:
        with pytest.raises(CallControlError) as caught:
            await control.perform([HttpRequest("POST", url)])
    assert caught.value.refused is refused


async def test_redirects_are_not_followed() -> None:
    """Credentials go nowhere else."""
    async with api(302) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="302"):
            await control.perform([HttpRequest("POST", url)])
    assert len(seen) == 1


@pytest.mark.parametrize(("repeatable", "tries"), [(False, 1), (True, rest.TRIES)])
async def test_a_provider_that_never_answers_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
    repeatable: bool,
    tries: int,
) -> None:
    """The time-out holds for each try, the tries are counted, and what may have been done is not done again."""
    monkeypatch.setattr(rest, "TIMEOUT_S", 0.05)
    monkeypatch.setattr(rest, "WHOLE_LIMIT_S", 1.0)
    async with api(0) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="was not answered within") as caught:
            await control.perform([HttpRequest("POST", url, repeatable=repeatable)])
    assert len(seen) == tries
    assert not caught.value.refused


async def test_a_provider_that_is_not_there(waited_s: list[float]) -> None:
    """No connection is a failure in one line; nothing was sent, so anything is tried again."""
    async with CallControl() as control:
        with pytest.raises(CallControlError, match="failed"):
            await control.perform([HttpRequest("POST", "http://127.0.0.1:1/")])
    assert len(waited_s) == rest.TRIES - 1


@pytest.mark.parametrize("value", ["Bearer se\ncret", "Bearer se\rcret", "Bearer se\x00cret"])
async def test_a_header_that_cannot_be_sent_is_a_refusal(value: str) -> None:
    """Told in one line, without the value, which may be a secret; trying again would not help."""
    async with api(200) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="a header has characters that HTTP does not allow") as caught:
            await control.perform([HttpRequest("POST", url, {"Authorization": value})])
    assert "cret" not in str(caught.value)
    assert not seen


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "http://a..b/",
        f"http://{'a' * 64}.example/",
        "http://h:99999/",
        "http://[::1/",
        "ftp://h/",
    ],
)
async def test_an_address_that_is_none_is_a_refusal(url: str) -> None:
    """Whatever is wrong with it, the caller has one error to handle."""
    async with CallControl() as control:
        with pytest.raises(CallControlError):
            await control.perform([HttpRequest("POST", url)])


def test_a_request_that_cannot_be_written_is_a_refusal() -> None:
    """A call id may hold bytes that are no text: a header brought it."""
    twilio = Twilio(Settings(account_sid="AC1", auth_token=SecretStr("t")), setup("twilio"))
    (request,) = written(described(commands(twilio).hang_up, "CA1"))
    assert request.url.endswith("/Calls/CA1.json")
    with pytest.raises(CallControlError, match="cannot be made"):
        described(commands(twilio).hang_up, "caf\udce9")


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (
            '{"code":21219,"message":"+14155550123 is unverified","more_info":"https://x/21219","status":400}',
            " (21219)",
        ),
        ('{"errors":[{"code":"10015","title":"Bad Request","detail":"Anna Smith, +14155550123"}]}', " (10015)"),
        ('{"type": "https://x/#low-balance", "title": "Low balance of Anna Smith", "instance": "ab"}', ""),
        ('{"error":"not_found","error_code": "no_call"}', " (not_found, no_call)"),
        ("<Response><ErrorCode>ABC-1</ErrorCode><Message>+14155550123</Message></Response>", " (ABC-1)"),
        ('{"code":14155550123,"error":"Anna Smith +14155550123"}', ""),
        ("Anna Smith has +14155550123", ""),
    ],
)
async def test_an_error_names_the_code_and_nobody(answer: str, codes: str) -> None:
    """Numbers and names that a provider's answer repeats stand apart, for private fields."""
    async with api(400, body=answer) as (url, _), CallControl() as control:
        with pytest.raises(CallControlError) as caught:
            await control.perform([HttpRequest("POST", f"{url}/calls")])
    assert str(caught.value) == f"POST {url}/calls was answered with 400{codes}"
    assert caught.value.answer == answer
