"""The transports under connections by TLS, as the commands' event loop has them."""

import asyncio
import gc
import ssl
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path

import aiofastnet
import pytest
from aiofastnet.transport import Transport

from gateway.cli.loop import run
from gateway.errors import InputError
from gateway.network.transports import LIMITS, own_transports_because
from tests.sockets.test_upgrade import self_signed

TRANSPORTS = "GATEWAY_TRANSPORTS"


async def _ends(folder: Path | None) -> list[asyncio.BaseTransport]:
    """Return the transports of a connection: the client's and the server's; by TLS where there is a folder for keys."""
    ours, theirs = self_signed(folder) if folder is not None else (None, None)
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), "127.0.0.1", 0, ssl=ours)
    async with asyncio.timeout(20), server:
        _, client = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=theirs)
        ends = [client, await accepted]
        found: list[asyncio.BaseTransport] = [end.transport for end in ends]
        for end in ends:
            end.transport.abort()
            with suppress(ConnectionError):
                await end.wait_closed()
    return found


def _are_fast(folder: Path | None) -> list[bool]:
    return [isinstance(end, Transport) for end in run(_ends(folder))]


def test_connections_by_tls_are_carried_by_aiofastnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are made, as to Voice Live: it is installed here, and nothing has to be set."""
    monkeypatch.delenv(TRANSPORTS, raising=False)
    assert _are_fast(tmp_path) == [True, False]
    assert own_transports_because("") == ""


def test_connections_without_tls_stay_the_event_loops_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost less so."""
    monkeypatch.delenv(TRANSPORTS, raising=False)
    assert _are_fast(None) == [False, False]


def test_one_variable_brings_the_loops_own_transports_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where aiofastnet should break something."""
    monkeypatch.setenv(TRANSPORTS, "loop")
    assert not any(_are_fast(tmp_path))
    assert own_transports_because("loop") == "GATEWAY_TRANSPORTS is loop"


def test_without_aiofastnet_the_loops_own_transports_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows and PyPy."""
    monkeypatch.delenv(TRANSPORTS, raising=False)
    monkeypatch.setitem(sys.modules, "aiofastnet", None)
    assert not any(_are_fast(tmp_path))
    assert own_transports_because("") == "aiofastnet is not installed"


def test_a_value_of_the_variable_that_means_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error does not choose by itself."""
    monkeypatch.setenv(TRANSPORTS, "off")
    with pytest.raises(InputError, match="GATEWAY_TRANSPORTS: off, expected aiofastnet or loop"):
        run(_ends(None))


async def _closed(folder: Path) -> "weakref.ref[asyncio.BaseTransport]":
    """Close a connection by TLS as a voice leg does: in order first, and at once where the peer does not follow."""
    ours, theirs = self_signed(folder)
    server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0, ssl=ours)
    async with asyncio.timeout(20), server:
        _, client = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=theirs)
        transport = client.transport
        transport.close()
        transport.abort()
        with suppress(ConnectionError):
            await client.wait_closed()
        return weakref.ref(transport)


def test_nothing_of_a_closed_connection_stays_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has two buffers, and the calls of a busy gateway end every few seconds."""
    monkeypatch.delenv(TRANSPORTS, raising=False)

    async def stays_s() -> float:
        closed = await _closed(tmp_path)
        began_at = time.monotonic()
        while closed() is not None:
            gc.collect()
            await asyncio.sleep(0.1)
            assert time.monotonic() < began_at + 15
        return time.monotonic() - began_at

    assert run(stays_s()) < 10
    assert LIMITS["ssl_incoming_bio_size"] <= 2**17 >= LIMITS["ssl_outgoing_bio_size"]


async def _refused(folder: Path, host: str, *, known: bool = True) -> ssl.SSLError:
    """Return the error of a client of ``host`` whose server has a certificate for 127.0.0.1."""
    ours, theirs = self_signed(folder)
    theirs = theirs if known else ssl.create_default_context()
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=ours)
    async with asyncio.timeout(20), server:
        with pytest.raises(ssl.SSLError) as refused:
            await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=theirs, server_hostname=host)
    return refused.value


async def _no_tls(folder: Path) -> ssl.SSLError:
    """Return the error of a client whose server does not speak TLS."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 X\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with asyncio.timeout(20), server:
        with pytest.raises(ssl.SSLError) as refused:
            await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=self_signed(folder)[1])
    return refused.value


CASES = {
    "nobody vouches": lambda folder: _refused(folder, "127.0.0.1", known=False),
    "another name": lambda folder: _refused(folder, "other.example"),
    "another address": lambda folder: _refused(folder, "127.0.0.2"),
    "no TLS": _no_tls,
}


@pytest.mark.parametrize("case", CASES)
def test_errors_of_tls_are_told_in_the_words_of_pythons_ssl(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who reads them, person or program, sees which transport it was, but for the line in C's source."""
    said = []
    for chosen in ("loop", "aiofastnet"):
        monkeypatch.setenv(TRANSPORTS, chosen)
        error = run(CASES[case](tmp_path))
        words = [str(one).partition(" (_ssl.c")[0] for one in (error, error.strerror, error.args[1])]
        said.append((type(error), error.args[0], error.errno, error.library, error.reason, *words))
        if isinstance(error, ssl.SSLCertVerificationError):
            said[-1] += (error.verify_code, error.verify_message)
    assert said[0] == said[1]


def test_tls_is_read_by_openssl_itself() -> None:
    """Where Python's own OpenSSL is a shared library; else the engine is Python's ``ssl``, which costs more."""
    assert aiofastnet.OPENSSL_DYN_LIBS is not None or "uv" in sys.base_prefix
