"""``console``: the pages for the people who run the lines, where they are served, and who may see them."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.config.console.users import ConsoleUser, OpenId
from gateway.config.reading.section import Section, Switch, Text, Whole
from gateway.config.secrets import Rotated, Secret
from gateway.config.urls import PublicUrl, private_listener

Problem = tuple[tuple[str, ...], str]
"""A key, and what is wrong with it."""


def is_loopback(host: str) -> bool:
    """Return ``True`` if only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(text: str) -> str:
    private_listener(text)
    return text.strip()


class Console(Section):
    """The console: pages for those who run the lines; ``console: false`` serves none."""

    enabled: Switch = True
    """Serve the console beside the calls."""
    listen: Annotated[Text, AfterValidator(_listen)] = "127.0.0.1:8088"
    """HOST:PORT of the console's own listener. Beyond loopback it needs url, and users or openid."""
    url: PublicUrl | None = None
    """The https address by which people reach the console, where a proxy in front of it carries TLS."""
    users: Mapping[Text, ConsoleUser] = {}
    """The people who sign in with a password, by name; without users and openid, whoever uses this machine may do
    everything."""
    openid: OpenId | None = None
    """Sign-in by OpenID Connect; needs the extra openid, and url."""
    gateways: Annotated[tuple[PublicUrl, ...], Field(max_length=32)] = ()
    """The gateways whose calls gateway console shows, each by the address of its listen.private; needs key."""
    key: Rotated[Secret] | None = None
    """The key by which gateway console sees and ends the calls of gateways, as ${NAME} only; the same on both sides.
    A gateway shows its calls on listen.private to whoever has it. During a rotation, [new, old]."""
    idle_minutes: Annotated[Whole, Field(ge=1, le=1440)] = 30
    """Minutes without a request after which somebody is signed out."""
    session_hours: Annotated[Whole, Field(ge=1, le=168)] = 12
    """Hours after which somebody is signed out in any case."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the listener."""
        return private_listener(self.listen)

    @property
    def has_viewers(self) -> bool:
        """``True`` if somebody may look at calls in progress: at a console of this machine, or at one with the key."""
        return self.enabled or self.key is not None

    @property
    def is_open(self) -> bool:
        """``True`` if nobody has to sign in."""
        return not self.users and self.openid is None

    @property
    def is_secure(self) -> bool:
        """``True`` if people reach it by TLS."""
        return self.url is not None and self.url.startswith("https://")

    def problems(self) -> Iterator[Problem]:
        """Yield what would let anybody in, or nobody."""
        host, _ = self.address
        if self.gateways and self.key is None:
            yield ("console", "gateways"), "show their calls to who has their key, expected key beside it"
        if not self.enabled:
            return
        if not is_loopback(host):
            if self.is_open:
                expected = "expected users or openid beside it, or a loopback address such as 127.0.0.1:8088"
                yield ("console", "listen"), f"is reached from other machines without a password, {expected}"
            elif not self.is_secure:
                yield ("console", "listen"), "is reached from other machines, expected url beside it, an https address"
        if self.url is not None and self.is_open:
            yield ("console", "url"), "is an address for others, expected users or openid beside it"
        if self.url is not None and not self.is_secure and not is_loopback(urlsplit(self.url).hostname or ""):
            yield ("console", "url"), "would send passwords in the clear, expected an https address"
        if self.openid is not None and self.url is None:
            yield ("console", "openid"), "needs the address to which people come back, expected url beside it"
        if self.openid is not None and not self.openid.roles:
            yield ("console", "openid"), "lets nobody in, expected roles in it"


def _switched(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


AnyConsole = Annotated[Console, BeforeValidator(_switched, json_schema_input_type=Console | bool)]
"""The section, or ``false`` for no console."""
