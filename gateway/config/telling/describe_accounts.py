"""Describes in words the accounts that a configuration serves, for ``gateway check``."""

from gateway.config.checks.secret_warnings import values_in
from gateway.config.deployment import Deployment
from gateway.config.providers import ProviderSettings, provider_of
from gateway.config.reading.environment import variable_of


def describe_accounts(deployment: Deployment) -> str:
    """Return one row for each account served: its provider, its variables, and the secrets that have two values."""
    rows = [f"  {name:<10} {_account(name, section)}" for name, section in deployment.providers.accounts.items()]
    return "\n".join(["providers:", *rows])


def _account(name: str, section: ProviderSettings) -> str:
    provider = provider_of(name, section)
    two = [key for key in type(section).model_fields if len(values_in(section, key)) > 1]
    whose = f"an account at {provider}, " if name != provider else ""
    return f"{whose}variables {variable_of(name, '…')}" + "".join(f", {key}: new and old" for key in two)
