"""The URLs of the configuration, whether a request can go to one, and the addresses to listen on."""

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from gateway.config.reading import environment

_LABEL_LENGTH = 63
"""Most characters of one part of a host's name (RFC 1035 §2.3.4); a longer or empty part cannot be looked up."""


def can_be_asked(url: str) -> bool:
    """Return ``True`` if the host of ``url`` is a valid name or address, and its port is valid."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_address = ":" in host
    labels = host.removesuffix(".").split(".")
    return port != 0 and (is_address or all(0 < len(label) <= _LABEL_LENGTH for label in labels))


_AFTER_SCHEME = r"://[^/\s?#@]+(/[^\s?#@]*)?"
_ENDPOINT, _PUBLIC_URL = rf"(https?|wss?){_AFTER_SCHEME}", rf"https?{_AFTER_SCHEME}"


def _url(pattern: str, example: str) -> AfterValidator:
    def check(text: str) -> str:
        text = environment.bare(text)
        if not re.fullmatch(pattern, text) or not can_be_asked(text):
            raise ValueError(f"is not an address that can be used, expected such as {example}")
        return text.rstrip("/")

    return AfterValidator(check)


def pattern_of(pattern: str) -> Any:
    """Return a pattern for editors; the validator beside it reports the errors."""
    return Field(json_schema_extra={"pattern": pattern})


Endpoint = Annotated[str, _url(_ENDPOINT, "https://my-resource.services.ai.azure.com"), pattern_of(f"^{_ENDPOINT}$")]
PublicUrl = Annotated[str, _url(_PUBLIC_URL, "https://voice.example.com"), pattern_of(f"^{_PUBLIC_URL}$")]
WebAddress = Annotated[
    str, _url(rf"https?{_AFTER_SCHEME}(\?[^\s#]*)?", "https://www.example.com/music.mp3"), pattern_of("^https?://")
]
"""The address of a file on the web."""


def listening_host(text: str) -> str:
    """Return the host to listen on; an IPv6 address may stand in brackets. Raises ``ValueError``."""
    host = text.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name, colon, port = host.rpartition(":")
        if colon and port.isdigit() and re.fullmatch(r"\[[^\]]*\]|[A-Za-z0-9._-]+", name):
            raise ValueError(f"has a port in it, expected {name} as host and {port} as port") from None
        is_no_name = re.fullmatch(r"[0-9.]+", host) or not re.fullmatch(r"[A-Za-z0-9._-]+", host)
        if is_no_name:
            raise ValueError("is not an address to listen on, expected such as 0.0.0.0, 127.0.0.1 or ::1") from None
    return host


def private_listener(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``; an IPv6 address stands in brackets. Raises ``ValueError``."""
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535 or (":" in host and host[0] != "["):
        raise ValueError("is not HOST:PORT, expected such as 127.0.0.1:9090")
    return listening_host(host), int(port)
