"""Warns of receivers that get less than they are meant to, or get it unprotected."""

import ipaddress
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from gateway.config.deployment import Deployment
from gateway.config.line.line import Line
from gateway.config.records.deliver import Receiver


def delivery_warnings(deployment: Deployment, lines: Iterable[Line]) -> Iterator[str]:
    """Yield a warning for each doubtful receiver of the deployment and of its lines."""
    receivers = [(f"deliver[{index}]", receiver) for index, receiver in enumerate(deployment.deliver)]
    receivers += [
        (f"{line.name}: deliver[{index}]", receiver)
        for line in lines
        for index, receiver in enumerate(line.settings.deliver or ())
    ]
    for key, receiver in receivers:
        yield from _of_a_receiver(key, receiver)
    if receivers and not deployment.records.enabled:
        yield "deliver: nothing is delivered, because records: false keeps nothing to deliver"
    elif not deployment.records.words:
        keys = [key for key, receiver in receivers if "transcript" in receiver.include]
        if keys:
            yield f"{keys[0]}.include: there is no transcript, because records.words: false keeps no words"


def _of_a_receiver(key: str, receiver: Receiver) -> Iterator[str]:
    parts = urlsplit(receiver.url)
    if parts.scheme == "http" and not _is_near(parts.hostname or ""):
        yield f"{key}.url: is not encrypted, expected https://: what callers say can be read on the way"


def _is_near(host: str) -> bool:
    """Return ``True`` for this machine, an address of a private network, and a name without a domain."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))
