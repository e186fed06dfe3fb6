"""The phone providers, a folder each, found by their names: ``make`` of ``<name>/provider.py`` makes one."""

from importlib import import_module
from typing import cast

from gateway.config.providers import Providers, ProviderSettings
from gateway.phone.provider import Provider, Setup

PROVIDERS = tuple(Providers.model_fields)
"""Their names, which are those of the folders here and of the sections of ``gateway.yaml``."""


def make(name: str, settings: ProviderSettings, setup: Setup) -> Provider:
    """Make a provider of its section of ``gateway.yaml``; ``name`` is one of ``PROVIDERS``."""
    return cast(Provider, import_module(f"{__name__}.{name}.provider").make(settings, setup))
