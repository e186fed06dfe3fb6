"""The host and port of an address that is to be reached. Pure."""

from urllib.parse import urlsplit

from msgspec import Struct

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Address(Struct, frozen=True):
    """A server: its host and port, and whether it is reached by TLS."""

    host: str
    port: int
    by_tls: bool

    @property
    def root(self) -> str:
        """The address of the server's root by HTTP."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.by_tls else ''}://{host}:{self.port}/"


def address_of(url: str) -> Address:
    """Return the server of an ``http``, ``https``, ``ws`` or ``wss`` URL. Raises ``ValueError`` for another."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url} is no address of a server")
    return Address(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme in ("https", "wss"))
