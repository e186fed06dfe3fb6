"""The way from a page to the gateway: its address, and the token that lets one call of one line in. Pure."""

import secrets
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.config import Deployment
from gateway.config.secrets import values_of
from gateway.path_segment import segment
from gateway.phone.provider import Grant
from gateway.phone.token import StreamTokens

PROVIDER = "browser"
TOKEN_LIFE_S = 30.0
"""The page opens its stream at once."""


class Granted(Struct, frozen=True):
    """A call that a page may begin."""

    call: str
    token: str


class PhoneWay(Struct, frozen=True):
    """The way to the gateway that takes the calls. ``url`` is its own address, ``key`` encrypts tokens."""

    url: str
    key: str
    emulated: bool = False
    """``True`` if the bundled emulator answers."""

    def grant(self, line: str, now_s: float) -> Granted:
        """Return a new call of a line, whose stream may be opened within ``TOKEN_LIFE_S`` of ``now_s``."""
        call = f"browser-{secrets.token_hex(8)}"
        token = StreamTokens(self.key, TOKEN_LIFE_S).issue(PROVIDER, Grant(line, call), now_s, TOKEN_LIFE_S)
        return Granted(call, token)

    def stream_url(self, line: str, token: str) -> str:
        """Return the address of the stream at the gateway."""
        return f"{self.url.replace('http', 'ws', 1)}/stream/{PROVIDER}/{segment(line)}/{segment(token)}"


def way_to(deployment: Deployment, url: str, *, emulated: bool = False) -> PhoneWay | None:
    """Return the way to the gateway of this address on this machine; ``None`` where its tokens cannot be made."""
    keys = values_of(deployment.streams.key)
    for every, own in (("//0.0.0.0:", "//127.0.0.1:"), ("//[::]:", "//[::1]:")):
        url = url.replace(every, own, 1)
    return PhoneWay(url, keys[0], emulated) if keys and url else None


def way_to_public(deployment: Deployment) -> PhoneWay | None:
    """Return the way to the gateways of a deployment that run elsewhere; ``None`` where address or key is not known."""
    keys = values_of(deployment.streams.key)
    url = deployment.public_url
    return PhoneWay(url, keys[0]) if keys and url and urlsplit(url).hostname else None
