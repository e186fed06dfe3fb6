"""The certificate of the simulated service."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from bench.certificate import certificate


def test_only_those_who_trust_the_authority_connect(tmp_path: Path) -> None:
    """As every client of OpenSSL's does by ``SSL_CERT_FILE``; others find a certificate that nobody has signed."""
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(certificate().authority)
    assert _version_spoken(ssl.create_default_context(cafile=trusted)) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        _version_spoken(ssl.create_default_context())


def _version_spoken(client: ssl.SSLContext) -> str | None:
    """Shake hands with a server of that certificate, and return the protocol's version."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            sock, _ = listening.accept()
            sock.settimeout(10)
            with suppress(ssl.SSLError), certificate().context.wrap_socket(sock, server_side=True):
                pass

        server = threading.Thread(target=serve)
        server.start()
        try:
            with (
                socket.create_connection(listening.getsockname(), timeout=10) as sock,
                client.wrap_socket(sock, server_hostname="127.0.0.1") as wrapped,
            ):
                return wrapped.version()
        finally:
            server.join()
