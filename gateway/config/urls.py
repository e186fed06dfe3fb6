"""The URLs of the configuration, and whether a request can go to one."""

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
