"""Lets a gateway served with ``--emulator`` on this machine's own address be called without an account."""

import ipaddress
import secrets
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.cli.calling.own_gateway import number_to_call
from gateway.config import Deployment, Lines
from gateway.config.providers import Providers, ProviderSettings, Twilio, provider_of, settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.sim.providers import PROVIDERS, open_account

LOOPBACK = "127.0.0.1"
CALLER = ("--interrupt-after", "2500", "order_status", "change_delivery", "goodbye")
"""Arguments of the printed command: the caller's part of the emulator's default dialogue."""


@dataclass(frozen=True)
class Loopback:
    """Holds a socket that listens on this machine alone, the deployment that is served there, and its test key."""

    listener: socket.socket
    deployment: Deployment
    key: str
    """The key from which the test credentials are made; empty if none were missing."""

    def told(self, lines: Lines) -> str:
        """Return how to call this gateway: the command to type, or why there is none."""
        accounts = self.deployment.providers.accounts.items()
        served = [name for name, section in accounts if not PROVIDERS[provider_of(name, section)].commanded]
        if not served:
            return "\nNo call from another terminal can be simulated for the providers that are served.\n"
        name = next((name for name in served if name in PROVIDERS), served[0])
        words = ["gateway", "call", "--url", self.deployment.require_public_url(), "--to", number_to_call(lines)]
        words += ["--test-key", self.key] if self.key else []
        words += ["--provider", name] if name != "twilio" else []
        if name not in PROVIDERS:  # only the configuration names the account's provider
            words += ["--config", str(self.deployment.file.resolve())]
        return f"\nCall it from another terminal:\n\n  {shlex.join([*words, *CALLER])}\n"


def is_loopback(host: str) -> bool:
    """Return ``True`` if only this machine reaches ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback(deployment: Deployment, host: str, port: int) -> Iterator[Loopback]:
    """Listen on ``host``; make up the public URL and the credentials that a test call needs and that are not set.

    A deployment that serves no provider serves Twilio. Raises ``OSError`` if it cannot listen on the address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        name = f"[{host}]" if ":" in host else host
        url = deployment.public_url or f"http://{name}:{listener.getsockname()[1]}"
        key = secrets.token_urlsafe(12).replace("-", "x")  # an argument must not look like an option
        served = deployment.providers.accounts
        filled = {name: _filled(name, section, key) for name, section in (served or {"twilio": Twilio()}).items()}
        made = deployment.model_copy(update={"public_url": url, "providers": Providers.model_validate(filled)})
        yield Loopback(listener, made, key if filled != served else "")


def _filled(name: str, section: ProviderSettings, key: str) -> ProviderSettings:
    """Return an account's section with a test value for each missing proof of webhooks and streams."""
    provider = provider_of(name, section)
    if all(getattr(section, name) for name in section.proofs):
        return section
    missing = [name for name in dict.fromkeys((*section.proofs, "stream_secret")) if not getattr(section, name)]
    account = open_account(provider, "", key)
    values = {name: FromEnvironment(account.settings[name], "the test account") for name in missing}
    made = settings_of(provider).model_validate(values)
    return section.model_copy(update={name: getattr(made, name) for name in missing})
