"""A certificate for a server on this machine, and the authority that signed it: made on the spot, valid for a month."""

import datetime
import ipaddress
import os
import ssl
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ServerKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_VALID = datetime.timedelta(days=30)
_CLOCKS_DIFFER = datetime.timedelta(hours=1)
"""A client's clock may be behind this machine's: the certificates are valid from a while ago."""
_LOCAL = ("localhost", "127.0.0.1", "::1")
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def write_certificates(
    folder: Path, hosts: Iterable[str] = (), key: ServerKey | None = None
) -> tuple[Path, ssl.SSLContext]:
    """Write ``ca.pem``, which a client has to trust, and return its path and the context of a server.

    The server's certificate names this machine (localhost, 127.0.0.1, ::1) and ``hosts``; its ``key`` is one of P-256
    if left out. The key of the authority is kept nowhere (RFC 5280). Raises ``OSError`` where the folder cannot be
    written to.
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local authority of the voice gateway")])
    is_authority = _certificate(authority, authority_key, authority, authority_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    ca_file = folder / "ca.pem"
    signed = _with_usage(is_authority, "key_cert_sign", "crl_sign").sign(authority_key, hashes.SHA256())
    ca_file.write_bytes(signed.public_bytes(Encoding.PEM))

    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([_alternative(host) for host in dict.fromkeys((*_LOCAL, *hosts))])
    server = (
        _certificate(name, key, authority, authority_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
    )
    certificate = _with_usage(server, "digital_signature").sign(authority_key, hashes.SHA256())
    chain = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(chain, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return ca_file, context


def _certificate(
    name: x509.Name, key: ServerKey, issuer: x509.Name, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _with_usage(builder: x509.CertificateBuilder, *usages: str) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(**{name: name in usages for name in _USAGES})
    return builder.add_extension(usage, critical=True)


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
