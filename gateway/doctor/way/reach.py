"""Checks the way to a server: its name, a connection, TLS. Each step has its own time limit."""

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp
from cryptography import x509

from gateway.doctor.row import Row, failed, fine, reduced, skipped
from gateway.doctor.way.address import Address

LOOK_UP_LIMIT_S = 10.0
SLOW_LOOK_UP_S = 1.0
"""Every first call waits for the look-up; a name server nearby answers within some 50 ms."""
CONNECT_LIMIT_S = 5.0
TLS_LIMIT_S = 5.0
EXPIRES_SOON_DAYS = 14
_DAY_S = 86_400


async def reached(address: Address, about: str) -> list[Row]:
    """Return the rows of name, connection and TLS; what follows a failure is skipped."""
    rows, addresses = await _looked_up(address, about)
    if not addresses:
        steps = ("connection", "tls") if address.by_tls else ("connection",)
        return [*rows, *(skipped(step, "name", about) for step in steps)]
    connection, ip = await _connected(address, addresses, about)
    rows.append(connection)
    if address.by_tls:
        rows.append(await _encrypted(address, ip, about) if ip else skipped("tls", "connection", about))
    return rows


async def _looked_up(address: Address, about: str) -> tuple[list[Row], list[str]]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    names = aiohttp.DefaultResolver()
    try:
        async with asyncio.timeout(LOOK_UP_LIMIT_S):
            found = await names.resolve(address.host, address.port, socket.AF_UNSPEC)
    except TimeoutError:
        detail = f"{address.host} was not found within {LOOK_UP_LIMIT_S:g} s"
        return [failed("name", detail, "check the name server of this machine (/etc/resolv.conf)", about)], []
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA cannot write
        remedy = "check the spelling of the host, and that this machine's name server knows it"
        reason = getattr(error, "strerror", None) or error
        return [failed("name", f"{address.host} is not known: {reason}", remedy, about)], []
    finally:
        await names.close()
    took_s = loop.time() - begun
    addresses = list(dict.fromkeys(entry["host"] for entry in found))
    if not addresses:
        remedy = "check the spelling of the host, and that this machine's name server knows it"
        return [failed("name", f"{address.host} has no address", remedy, about)], []
    detail = f"{address.host} is {', '.join(addresses[:3])} ({_ms(took_s)})"
    if took_s > SLOW_LOOK_UP_S:
        remedy = "use a name server nearby: calls wait for it, and fail after voice_live.connect_timeout_s"
        return [reduced("name", f"{detail}: slow", remedy, about)], addresses
    return [fine("name", detail, about)], addresses


async def _connected(address: Address, addresses: list[str], about: str) -> tuple[Row, str]:
    """Return the row of the connection, and the IP address that accepted it; empty where none did."""
    loop = asyncio.get_running_loop()
    problems: list[str] = []
    for ip in addresses:
        begun = loop.time()
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                _, writer = await asyncio.open_connection(ip, address.port)
        except TimeoutError:
            problems.append(f"{ip}: no answer within {CONNECT_LIMIT_S:g} s")
            continue
        except OSError as error:
            problems.append(f"{ip}: {_reason(error)}")
            continue
        await _closed(writer)
        detail = f"port {address.port} of {ip} answers ({_ms(loop.time() - begun)})"
        if problems:
            remedy = "see to it that all addresses of the host can be reached: calls try the others first, and wait"
            return reduced("connection", f"{detail}; not {'; '.join(problems)}", remedy, about), ip
        return fine("connection", detail, about), ip
    remedy = f"let this machine connect to port {address.port} of {address.host}: firewall, private endpoint, route"
    return failed("connection", f"port {address.port} cannot be reached: {'; '.join(problems)}", remedy, about), ""


async def _encrypted(address: Address, ip: str, about: str) -> Row:
    context = await asyncio.to_thread(ssl.create_default_context)  # reads a long file; calls may be in progress
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(TLS_LIMIT_S):
            _, writer = await asyncio.open_connection(ip, address.port, ssl=context, server_hostname=address.host)
    except TimeoutError:
        detail = f"no TLS with {address.host} within {TLS_LIMIT_S:g} s"
        return failed("tls", detail, "check what stands between: a firewall or proxy that opens TLS", about)
    except ssl.SSLCertVerificationError as error:
        issuer = await _issuer(address, ip)
        by = f", issued by {issuer}" if issuer else ""
        detail = f"the certificate of {address.host}{by} is not accepted: {error.verify_message}"
        return failed("tls", detail, _remedy_of(error), about)
    except OSError as error:  # SSLError is one
        detail = f"no TLS with {address.host}: {_reason(error)}"
        return failed("tls", detail, f"check that port {address.port} is the one for https://", about)
    try:
        secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
        version, certificate = secured.version(), secured.getpeercert() or {}
    finally:
        await _closed(writer)
    until_s = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    days = (until_s - datetime.now(UTC).timestamp()) / _DAY_S
    detail = (
        f"{version}, certificate until {datetime.fromtimestamp(until_s, UTC):%Y-%m-%d} ({_ms(loop.time() - begun)})"
    )
    if days < EXPIRES_SOON_DAYS:
        return reduced("tls", detail, f"renew the certificate: it expires in {max(0, days):.0f} days", about)
    return fine("tls", detail, about)


def _remedy_of(error: ssl.SSLCertVerificationError) -> str:
    if "expired" in error.verify_message or "not yet valid" in error.verify_message:
        return "renew the certificate; if it is in order, set this machine's clock"
    if "mismatch" in error.verify_message:
        return "use the host that the certificate names"
    return (
        "where a proxy of yours opens TLS, name a file with its CA and the usual ones in SSL_CERT_FILE; "
        "else the server must send its intermediate certificates"
    )


async def _issuer(address: Address, ip: str) -> str:
    """Return the issuer of a certificate that is not accepted; empty where it is not told."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE  # to read the certificate; nothing is sent
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(TLS_LIMIT_S):
            _, writer = await asyncio.open_connection(ip, address.port, ssl=trusting, server_hostname=address.host)
        secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
        certificate = secured.getpeercert(binary_form=True)
        await _closed(writer)
        if certificate:
            return x509.load_der_x509_certificate(certificate).issuer.rfc4514_string()
    return ""


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection on which nothing was said."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return error.strerror or str(error) or type(error).__name__


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
