"""TLS of the emulator: its certificates, who trusts them, and what remains of them."""

import ssl
from pathlib import Path

import aiohttp
import pytest

from gateway.sim.emulator import Emulator
from gateway.sim.emulator.certificate import write_certificates
from tests.sim.emulator.wire import Wire, quick, scripted, url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_client_that_trusts_the_authority_opens_a_session(host: str) -> None:
    """By name and by address, with every check of the client's own TLS library."""
    async with Emulator(quick(), tls=True) as emulator, aiohttp.ClientSession(headers={"api-key": "x"}) as http:
        assert emulator.endpoint.startswith("https://")
        address = url(emulator).replace("https://127.0.0.1", f"wss://{host}")
        async with http.ws_connect(address, ssl=ssl.create_default_context(cafile=emulator.ca_file)) as socket:
            assert (await Wire(socket).until("session.created"))["session"]["model"] == "gpt-4.1"


async def test_a_client_that_does_not_trust_it_opens_none() -> None:
    """The authority is this run's alone."""
    async with Emulator(quick(), tls=True) as emulator, aiohttp.ClientSession(headers={"api-key": "x"}) as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.ws_connect(url(emulator))
        assert emulator.handshakes == 0


async def test_a_cut_connection_is_cut_under_tls_too() -> None:
    """A reset is one of TCP, without the good-bye of TLS."""
    script = scripted({"say": "Hello."}, faults={"cut": {"at": "session.created", "how": "reset"}})
    async with Emulator(script, tls=True) as emulator, aiohttp.ClientSession(headers={"api-key": "x"}) as http:
        context = ssl.create_default_context(cafile=emulator.ca_file)
        async with http.ws_connect(url(emulator), ssl=context) as socket:
            assert await Wire(socket).closed() == 1006
        session = await emulator.session()
        await session.closed.wait()
        assert session.close_code == 1006


async def test_nothing_of_it_remains() -> None:
    """The key is readable for its owner alone, and the folder is gone with the emulator."""
    async with Emulator(quick(), tls=True) as emulator:
        assert emulator.ca_file is not None
        folder = emulator.ca_file.parent
        assert (folder / "server.pem").stat().st_mode & 0o777 == 0o600
    assert not folder.exists()
    assert emulator.ca_file is None


async def test_a_port_that_is_taken_leaves_no_folder() -> None:
    """The error is the operating system's."""
    async with Emulator(quick()) as taken:
        emulator = Emulator(quick(), port=int(taken.endpoint.rpartition(":")[2]), tls=True)
        with pytest.raises(OSError, match="address already in use"):
            await emulator.__aenter__()
        assert emulator.ca_file is None


def test_a_certificate_names_the_hosts_that_it_is_asked_for(tmp_path: Path) -> None:
    """Those beside this machine's; none twice, and an address as an address (RFC 5280 §4.2.1.6)."""
    write_certificates(tmp_path, ["contoso.cognitiveservices.azure.com", "192.0.2.7", "localhost"])
    written = ssl._ssl._test_decode_cert(str(tmp_path / "server.pem"))  # type: ignore[attr-defined] # as CPython's tests
    assert written["subjectAltName"] == (
        ("DNS", "localhost"),
        ("IP Address", "127.0.0.1"),
        ("IP Address", "0:0:0:0:0:0:0:1"),
        ("DNS", "contoso.cognitiveservices.azure.com"),
        ("IP Address", "192.0.2.7"),
    )
