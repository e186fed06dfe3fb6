"""One package for each phone provider, found by its name: ``make`` of ``<name>/provider.py`` makes the provider.

<name>/  a provider; its own docstring says what it speaks

No provider imports another; what several need is in ``gateway.phone.dialects`` or ``gateway.phone.shared``.
``gateway.call`` imports none. Pure.
"""

from importlib import import_module
from typing import cast

from gateway.config.providers import Providers, ProviderSettings
from gateway.phone.provider import Provider, Setup

PROVIDERS = tuple(Providers.model_fields)
"""Their names, which are those of the folders here and of the sections of ``gateway.yaml``."""


def make(name: str, settings: ProviderSettings, setup: Setup) -> Provider:
    """Make a provider of its section of ``gateway.yaml``; ``name`` is one of ``PROVIDERS``."""
    return cast(Provider, import_module(f"{__name__}.{name}.provider").make(settings, setup))
