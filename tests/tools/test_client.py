"""Requests over a network that misbehaves."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.network.name_look_up import Connector
from gateway.tools import client
from gateway.tools.request import Request
from gateway.tools.result import OUTPUT_LIMIT, FunctionFailed
from tests.tools.service import service


@pytest_asyncio.fixture
async def http(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiohttp.ClientSession]:
    """The process's client, whose second try follows at once."""
    monkeypatch.setattr(client, "AGAIN_AFTER_S", 0.0)
    async with client.open_session(4) as session:
        yield session


async def failure(http: aiohttp.ClientSession, url: str, method: str = "POST") -> FunctionFailed:
    with pytest.raises(FunctionFailed) as caught:
        await client.perform(http, Request(method, url, {}, b"{}"))
    return caught.value


async def test_a_request_arrives_as_it_was_described(http: aiohttp.ClientSession) -> None:
    """The address byte for byte, no cookie from one call to the next, and the answer as it is."""

    async def answering(request: web.Request) -> web.Response:
        answer = web.Response(status=404, text="Zürich", charset="iso-8859-1")
        answer.set_cookie("session", "of another caller")
        return answer

    async with service(answering) as shop:
        there = shop.url.replace("127.0.0.1", "localhost")  # a client may keep no cookie of an address, but of a name
        request = Request("PATCH", f"{there}/o/a%2Fb%2E/s?q=%7B", {"X-Key": "k"}, b'{"a":1}')
        answers = [await client.perform(http, request) for _ in range(2)]
    assert [(each.status, each.content_type, each.charset) for each in answers] == [
        (404, "text/plain", "iso-8859-1")
    ] * 2
    assert answers[0].body == "Zürich".encode("iso-8859-1")
    assert [(each.method, each.raw_path, each.headers["X-Key"]) for each in shop.seen] == [
        ("PATCH", "/o/a%2Fb%2E/s?q=%7B", "k")
    ] * 2
    assert shop.bodies == [b'{"a":1}'] * 2
    assert all("Cookie" not in each.headers for each in shop.seen)
    assert {each.headers["User-Agent"] for each in shop.seen} == {"voice-line-gateway"}
    assert {each.headers["Accept-Encoding"] for each in shop.seen} == {"identity"}


@pytest.mark.parametrize(
    ("status", "is_read"),
    [(200, True), (299, True), (300, False), (399, False), (400, True), (499, True), (500, False), (599, False)],
)
async def test_what_means_nothing_is_not_read(http: aiohttp.ClientSession, status: int, is_read: bool) -> None:
    """The words of a redirect and of a service that failed are for nobody."""
    async with service(web.Response(status=status, text="words")) as shop:
        answer = await client.perform(http, Request("POST", shop.url, {}, b"{}"))
    assert (answer.status, answer.body) == (status, b"words" if is_read else b"")


async def test_a_failure_is_not_waited_for_to_its_end(http: aiohttp.ClientSession) -> None:
    """The status is enough: the connection is dropped while the service still writes."""
    dropped = asyncio.Event()

    async def answering(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=500)
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x" * OUTPUT_LIMIT)
        except ConnectionError:
            dropped.set()
            raise

    async with service(answering) as shop, asyncio.timeout(30):
        assert (await client.perform(http, Request("POST", shop.url, {}, b"{}"))).status == 500
        await dropped.wait()


async def test_connections_are_bounded_and_not_kept_for_long() -> None:
    """So many at once; and none for as long as servers keep theirs, who would close it while it is used."""
    async with client.open_session(4) as session:
        assert isinstance(session.connector, Connector)
        assert session.connector.limit == 4
        assert (session.timeout.total, session.timeout.sock_connect) == (None, None)  # a tool's own time is the bound
        kept_s = session.connector._keepalive_timeout
        assert kept_s is not None
        assert 0 < kept_s < 5


async def test_no_proxy_of_the_environment_is_asked(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go where the operator said, directly."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with service(web.Response(text="ok")) as shop:
        assert (await client.perform(http, Request("POST", shop.url, {}, b""))).body == b"ok"


async def test_a_redirect_is_not_followed(http: aiohttp.ClientSession) -> None:
    """Not even to the same service."""
    async with service(web.Response(status=307, headers={"Location": "/elsewhere"})) as shop:
        assert (await client.perform(http, Request("POST", f"{shop.url}/o", {}, b"{}"))).status == 307
    assert [request.path for request in shop.seen] == ["/o"]


async def test_a_long_answer_is_not_read(http: aiohttp.ClientSession) -> None:
    """Of 10 MB no more is taken than buffers hold, and the connection is dropped while the service still writes."""
    wrote, dropped = [0], asyncio.Event()

    async def answering(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        try:
            for _ in range(160):
                await answer.write(b"x" * OUTPUT_LIMIT)
                wrote[0] += OUTPUT_LIMIT
        except ConnectionError:
            dropped.set()
            raise
        return answer

    async with service(answering) as shop:
        assert (await failure(http, shop.url)).message == "the answer is too long"
        async with asyncio.timeout(30):
            await dropped.wait()
    assert wrote[0] < 160 * OUTPUT_LIMIT


async def test_an_answer_of_just_the_limit_is_read(http: aiohttp.ClientSession) -> None:
    """One byte more is too long."""
    async with service(web.Response(body=b"x" * OUTPUT_LIMIT)) as shop:
        assert len((await client.perform(http, Request("POST", shop.url, {}, b""))).body) == OUTPUT_LIMIT
    async with service(web.Response(body=b"x" * (OUTPUT_LIMIT + 1))) as shop:
        assert (await failure(http, shop.url)).message == "the answer is too long"


async def test_a_connection_is_tried_twice(http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that comes back in between is reached; the request is the same."""
    async with service(web.Response(text="ok")) as shop:
        refusals = iter([ConnectionRefusedError(111, "Connection refused")])
        connect = aiohttp.TCPConnector.connect

        async def refusing(self: aiohttp.TCPConnector, req: aiohttp.ClientRequest, **rest: Any) -> object:
            if refusal := next(refusals, None):
                raise aiohttp.ClientConnectorError(req.connection_key, refusal)
            return await connect(self, req, **rest)

        monkeypatch.setattr(aiohttp.TCPConnector, "connect", refusing)
        assert (await client.perform(http, Request("POST", shop.url, {"Idempotency-Key": "k"}, b"{}"))).body == b"ok"
    assert len(shop.seen) == 1


async def test_nobody_there_is_told(http: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    """After two tries; where it was tried is not for the model."""
    failed = await failure(http, f"http://127.0.0.1:{unused_tcp_port}/o?card=4111")
    assert failed.message == "the service cannot be reached"
    assert "4111" not in failed.detail
    assert str(unused_tcp_port) in failed.detail


@pytest.mark.parametrize("url", ["http://a..b/o?card=4111", f"http://{'a' * 64}.example/o?card=4111"])
async def test_a_host_that_is_no_name_is_told(http: aiohttp.ClientSession, url: str) -> None:
    """The model is told that the service failed; the call goes on."""
    failed = await failure(http, url)
    assert failed.message == "the service failed"
    assert "4111" not in failed.detail


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_an_answer_that_breaks_off_is_not_asked_for_again(http: aiohttp.ClientSession, method: str) -> None:
    """The service may have done what was asked."""

    async def answering(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return answer

    async with service(answering) as shop:
        assert (await failure(http, shop.url, method)).message == "the service failed"
    assert len(shop.seen) == 1


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "PATCH", "DELETE"])
async def test_a_connection_that_is_lost_is_not_asked_again(http: aiohttp.ClientSession, method: str) -> None:
    """The same before the answer has begun: no method is made twice by itself."""

    async def answering(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with service(answering) as shop:
        assert (await failure(http, shop.url, method)).message == "the service failed"
    assert len(shop.seen) == 1


async def test_what_is_no_http_is_a_failure(http: aiohttp.ClientSession) -> None:
    """A port that speaks something else."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await failure(http, f"http://127.0.0.1:{port}/")).message == "the service failed"


async def test_a_certificate_that_nobody_vouches_for(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """Nothing is sent to whoever shows it, and the failure is told as what it is."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path))
    async with service(web.Response(text="ok"), tls) as shop:
        failed = await failure(http, shop.url)
    assert failed.message == "the service cannot be reached securely"
    assert failed.detail.startswith("TLS failed")
    assert shop.seen == []


def self_signed(directory: Path) -> Path:
    """A certificate and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    file = directory / "certificate.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return file
