"""The certificate of the simulated service, with a key as Azure's endpoints have: RSA of 2048 bits."""

import functools
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.sim.emulator.certificate import write_certificates


@dataclass(frozen=True)
class Certificate:
    """The server's side of TLS, and the authority that its clients are to trust."""

    context: ssl.SSLContext
    authority: bytes
    """The authority's certificate as PEM, for ``SSL_CERT_FILE``."""


@functools.cache
def certificate() -> Certificate:
    """Return the certificate of this process; the first call makes it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:  # ssl reads keys from files alone
        file, context = write_certificates(Path(folder), key=rsa.generate_private_key(65537, 2048))
        return Certificate(context, file.read_bytes())
