"""Checks the variables that name a proxy: the gateway connects directly. Pure."""

from collections.abc import Mapping

from gateway.doctor.row import Row, fine, reduced
from gateway.doctor.way.address import Address

_NAMES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_PLAIN = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def proxied(address: Address, environ: Mapping[str, str], about: str, *, is_reached: bool) -> Row:
    """Return the row of the proxy; ``is_reached`` says whether the server was reached without one."""
    name = next((name for name in (_NAMES if address.by_tls else _PLAIN) if environ.get(name, "").strip()), "")
    if not name or _is_excepted(address, environ):
        return fine("proxy", "none: the gateway connects directly", about)
    if is_reached:
        return fine("proxy", f"{name} is set and not used: the gateway connects directly, which works", about)
    detail = f"{name} is set, and the gateway does not use it: it connects directly, which failed"
    remedy = f"let this machine reach {address.host} without a proxy: media streams and sessions take none"
    return reduced("proxy", detail, remedy, about)


def _is_excepted(address: Address, environ: Mapping[str, str]) -> bool:
    """Return ``True`` if ``NO_PROXY`` names the host, or a domain around it."""
    names = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").replace(",", " ").split()
    host = address.host.lower()
    return any(name == "*" or f".{host}".endswith(f".{name.lower().lstrip('.')}") for name in names)
