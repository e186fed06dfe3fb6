"""Checks whether a request can go to a URL."""

from urllib.parse import urlsplit

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
