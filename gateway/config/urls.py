"""What makes a URL one that a request can go to, whatever it is for."""

from urllib.parse import urlsplit

_LABEL_LENGTH = 63
"""Of one part of a host's name (RFC 1035 §2.3.4); a longer one, or none between two dots, cannot be looked up."""


def can_be_asked(url: str) -> bool:
    """Return whether the host of ``url`` is a name or an address, and its port a port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_address = ":" in host
    labels = host.removesuffix(".").split(".")
    return port != 0 and (is_address or all(0 < len(label) <= _LABEL_LENGTH for label in labels))
