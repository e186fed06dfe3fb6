"""From HTTP to a WebSocket, in both ways, against peers that write their own bytes."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.errors import OutboxFullError
from gateway.sockets import public_upgrade, upgrade
from gateway.sockets.message_socket import MessageSocket
from gateway.sockets.upgrade import _answer_to

pytestmark = pytest.mark.usefixtures("transports")

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = (
    "GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
)
DAY = datetime.timedelta(days=1)
HELLO = b"\x81\x85\0\0\0\0hello"


WAYS: dict[str, Any] = {"fast": upgrade, "public": public_upgrade}
both_ways = pytest.mark.parametrize("way", WAYS)


@asynccontextmanager
async def server(subprotocols: tuple[str, ...] = (), way: str = "fast") -> AsyncIterator[tuple[str, int]]:
    """A service that sends every message back; its host and port."""

    async def serve(request: web.Request) -> web.StreamResponse:
        accepted = await WAYS[way].accept(request, subprotocols=subprotocols, max_message=0, close_timeout_s=0.1)
        if accepted is None:
            return web.Response(status=400)
        response: web.StreamResponse = accepted[0]
        socket: MessageSocket = accepted[1]
        while (message := await socket.receive()) is not None:
            socket.send(message)
        await socket.close()
        return response

    app = web.Application()
    app.router.add_get("/", serve)
    async with asyncio.timeout(20), TestServer(app) as service:
        yield str(service.host), int(service.port or 0)


async def asked(request: str, behind: bytes = b"", way: str = "fast") -> str:
    """The answer's head to a request, written with what stands behind it in one piece."""
    async with server(way=way) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request.encode() + behind)
        head = await reader.readuntil(b"\r\n\r\n")
        if behind:
            assert await reader.readexactly(7) == b"\x81\x05hello"
        writer.close()
        await writer.wait_closed()
    return head.decode().lower()


@both_ways
async def test_the_answer_to_an_upgrade(way: str) -> None:
    """The example of RFC 6455 §1.3."""
    head = await asked(REQUEST, way=way)
    assert head.startswith("http/1.1 101 ")
    for line in ("upgrade: websocket", "connection: upgrade", "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="):
        assert line in head
    assert "transfer-encoding" not in head
    assert "content-length" not in head


@pytest.mark.parametrize("behind", [False, True])
async def test_a_client_that_masks_nothing_is_refused(behind: bool) -> None:
    """RFC 6455 §5.1: 1002, also for what comes with the request."""
    async with server() as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(REQUEST.encode() + (b"\x81\x05hello" if behind else b""))
        await reader.readuntil(b"\r\n\r\n")
        if not behind:
            writer.write(HELLO + b"\x81\x05hello")
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert said[-4:] == b"\x88\x02" + (1002).to_bytes(2, "big")


@both_ways
async def test_a_message_that_comes_with_the_request_is_read(way: str) -> None:
    """A peer that does not wait for the answer is heard all the same."""
    await asked(REQUEST, HELLO, way)


@both_ways
@pytest.mark.parametrize(
    ("before", "after"),
    [("Version: 13", "Version: 12"), (KEY, "short"), ("Connection: Upgrade", "Connection: close")],
)
async def test_no_proper_handshake_is_400(before: str, after: str, way: str) -> None:
    """It is refused before anything is upgraded."""
    assert (await asked(REQUEST.replace(before, after), way=way)).startswith("http/1.1 400 ")


@both_ways
async def test_a_subprotocol_that_both_know(way: str) -> None:
    """The first that the peer names and we speak; none where there is none."""
    async with server(("b", "c"), way) as (host, port), aiohttp.ClientSession() as http:
        for theirs, chosen in ((("a", "b", "c"), "b"), ((), None)):
            async with http.ws_connect(f"ws://{host}:{port}/", protocols=theirs) as peer:
                assert peer.protocol == chosen


@asynccontextmanager
async def answering(answer: str, then: str = "") -> AsyncIterator[str]:
    """A service that answers anything with this, with the right ``Sec-WebSocket-Accept`` for {accept}; its URL.

    ``then`` follows what the client sends next.
    """
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (key,) = (line.split(": ")[1] for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
        writer.write(answer.replace("{accept}", _answer_to(key)).encode("latin-1"))
        if then:
            await reader.readexactly(1)
            writer.write(then.encode("latin-1"))
        await done.wait()
        writer.close()

    service = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with asyncio.timeout(20), service:
        yield f"ws://127.0.0.1:{service.sockets[0].getsockname()[1]}/"
        done.set()


async def connected(http: aiohttp.ClientSession, url: str, way: str = "fast") -> MessageSocket:
    """Return a client's socket, connected and upgraded."""
    socket: MessageSocket = await WAYS[way].connect(http, url, {}, max_message=0, close_timeout_s=0.1, heartbeat_s=0)
    return socket


def client() -> aiohttp.ClientSession:
    """A session as the gateway makes it."""
    return aiohttp.ClientSession(trace_configs=[public_upgrade.refusing_redirects()])


ANSWER = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"


async def test_of_a_refusal_the_beginning_is_read() -> None:
    """Enough to tell why; a body of any size would take the time of a call that waits for its session."""
    head = "HTTP/1.1 403 X\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n"
    async with answering(head + "no" * 250_000) as url, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connected(http, url)
    assert refused.value.message == "no" * 2048


@both_ways
async def test_messages_that_come_with_the_answer_are_read(way: str) -> None:
    """A service may speak at once: what stands behind its answer in one piece is not lost, even half a frame."""
    async with answering(ANSWER + "\x81\x05hello\x81\x05wo", "rld") as url, aiohttp.ClientSession() as http:
        socket = await connected(http, url, way)
        assert await socket.receive() == "hello"
        socket.send("go on")
        assert await socket.receive() == "world"
        await socket.close()


@both_ways
async def test_messages_over_tls(tmp_path: Path, way: str) -> None:
    """Voice Live is reached over TLS: messages of every size go both ways, and what a peer does not read is bounded."""
    stalled = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        peer: web.WebSocketResponse = web.WebSocketResponse(timeout=0.1)
        await peer.prepare(request)
        for _ in range(3):
            await peer.send_str(await peer.receive_str())
        assert request.transport is not None
        request.transport.pause_reading()
        await stalled.wait()
        return peer

    app = web.Application()
    app.router.add_get("/", serve)
    ours, theirs = self_signed(tmp_path)
    connector = aiohttp.TCPConnector(ssl=theirs, force_close=True)
    service = TestServer(app)
    async with asyncio.timeout(20), aiohttp.ClientSession(connector=connector) as http:
        await service.start_server(ssl=ours)
        socket = await connected(http, f"wss://127.0.0.1:{service.port}/", way)
        for message in ("", "x" * 300, "y" * 100_000):
            socket.send(message)
            assert await socket.receive() == message
        with pytest.raises(OutboxFullError):
            flood(socket)
        await socket.close()
        stalled.set()
        await service.close()


@both_ways
@pytest.mark.parametrize("in_order", [True, False], ids=["close_notify", "RST"])
async def test_the_end_of_tls_without_a_close_frame(tmp_path: Path, in_order: bool, way: str) -> None:
    """What came before is received; then the socket is over with 1006, whether TLS was closed or the connection cut."""

    async def serve(request: web.Request) -> web.StreamResponse:
        peer: web.WebSocketResponse = web.WebSocketResponse(timeout=0.1)
        await peer.prepare(request)
        await peer.send_str("last words")
        await peer.receive_str()
        assert request.transport is not None
        (request.transport.close if in_order else request.transport.abort)()
        return peer

    app = web.Application()
    app.router.add_get("/", serve)
    ours, theirs = self_signed(tmp_path)
    service = TestServer(app)
    async with asyncio.timeout(20), aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=theirs)) as http:
        await service.start_server(ssl=ours)
        socket = await connected(http, f"wss://127.0.0.1:{service.port}/", way)
        assert await socket.receive() == "last words"
        socket.send("go")
        assert await socket.receive() is None
        assert socket.close_code == 1006
        with pytest.raises(ConnectionError):
            socket.send("too late")
        await socket.close()
        await service.close()


def flood(socket: MessageSocket) -> None:
    """160 MB, without waiting."""
    for _ in range(10_000):
        socket.send("z" * 16_000)


def self_signed(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server with a certificate of its own for 127.0.0.1, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(private + certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cadata=certificate.decode())


@both_ways
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ANSWER.replace("{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "not a WebSocket server's"),
        (ANSWER.replace("Upgrade: websocket", "Upgrade: h2c"), "not a WebSocket server's"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"),
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "redirected"),
    ],
    ids=["another's key", "another protocol", "no upgrade", "redirect"],
)
async def test_an_answer_that_is_no_upgrade(answer: str, words: str, way: str) -> None:
    """It is an error, and its connection is not kept."""
    async with answering(answer) as url, client() as http:
        with pytest.raises(aiohttp.ClientError, match=words):
            await connected(http, url, way)
        assert not http.connector or not http.connector._acquired
