"""``console``: the pages for the people who run the lines, and where they are served."""

import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from gateway.config.reading.section import Section, Switch, Text
from gateway.config.urls import private_listener


def is_loopback(host: str) -> bool:
    """Return ``True`` if only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(text: str) -> str:
    host, _ = private_listener(text)
    if not is_loopback(host):
        raise ValueError("is reached from other machines, expected a loopback address such as 127.0.0.1:8088")
    return text.strip()


class Console(Section):
    """The console: pages for those who run the lines; ``console: false`` serves none."""

    enabled: Switch = True
    """Serve the console beside the calls."""
    listen: Annotated[Text, AfterValidator(_listen)] = "127.0.0.1:8088"
    """HOST:PORT of the console's own listener, on a loopback address."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the listener."""
        return private_listener(self.listen)


def _switched(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


AnyConsole = Annotated[Console, BeforeValidator(_switched, json_schema_input_type=Console | bool)]
"""The section, or ``false`` for no console."""
