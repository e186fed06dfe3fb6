"""The accounts that a command may be given by name: a provider's own, and those of the configuration."""

import os
from pathlib import Path

from gateway.config import load_deployment
from gateway.config.providers import Providers, provider_of
from gateway.config.reading.problems import suggestion
from gateway.errors import InputError

PROVIDERS = tuple(Providers.model_fields)


def provider_named(name: str, config: Path) -> str:
    """Return the provider of the account ``name``; only a name that is no provider's is looked up in the configuration.

    Raises InputError if it is neither.
    """
    if name in PROVIDERS:
        return name
    accounts = load_deployment(config, os.environ).providers.accounts
    if name not in accounts:
        known = suggestion(name, dict.fromkeys([*PROVIDERS, *accounts]))
        raise InputError(f"{name} is neither a provider nor an account in {config}, {known}")
    return provider_of(name, accounts[name])
