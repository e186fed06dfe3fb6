"""A certificate for 127.0.0.1 and the authority that signed it, made on the spot.

Keys as those of Azure's endpoints are: RSA of 2048 bits for the server.
"""

import datetime
import functools
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

VALID = datetime.timedelta(days=1)
HOST = ipaddress.ip_address("127.0.0.1")


@dataclass(frozen=True)
class Certificate:
    """The server's side of TLS, and what its clients are to trust."""

    context: ssl.SSLContext
    authority: bytes
    """The authority's certificate as PEM, for ``SSL_CERT_FILE``."""


@functools.cache
def certificate() -> Certificate:
    """Return the certificate of this process; the first call makes it."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    authority_name, name = _name("bench authority"), _name("bench")
    authority = (
        _begun(authority_name, authority_name)
        .public_key(authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _begun(name, authority_name)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(HOST)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "server.pem"  # ssl reads keys from files alone
        file.touch(mode=0o600)
        file.write_bytes(
            server.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        context.load_cert_chain(file)
    return Certificate(context, authority.public_bytes(Encoding.PEM))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
    )
