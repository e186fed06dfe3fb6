"""Makes the providers of accounts, with their settings and the clock of this process."""

import time

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, AudioFormat
from gateway.config import Deployment
from gateway.config.providers import ProviderSettings, provider_of
from gateway.phone import providers
from gateway.phone.provider import Provider, Setup

_LINEAR = {each.rate_hz: each for each in (L16_8K, L16_16K, L16_24K)}


def providers_of(deployment: Deployment) -> dict[str, Provider]:
    """Return the accounts that are served, each as a provider with its settings."""
    accounts = deployment.served_accounts
    return {name: make_provider(name, section, deployment.public_url or "") for name, section in accounts.items()}


def make_provider(name: str, settings: ProviderSettings, public_url: str = "") -> Provider:
    """Make a provider with its settings; ``name`` is its own, or that of the account with these settings."""
    setup = Setup(name, f"{public_url}/answer/{name}" if public_url else "", time.time)
    return providers.make(provider_of(name, settings), settings, setup)


def usual_format(provider: Provider, section: ProviderSettings) -> AudioFormat:
    """Return the audio format in which an account's streams usually come: that of its sample rate, where it has one."""
    return _LINEAR.get(getattr(section, "rate_hz", 0), provider.traits.formats[0])
