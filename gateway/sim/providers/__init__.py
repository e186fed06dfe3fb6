"""The simulated providers: every module of this package is one, named as in the gateway's routes.

A module defines ``provider``, a :class:`~gateway.sim.phone.webhook.SimProvider`; it is imported when first asked for.
Modules whose names begin with ``_`` are shared.

<name>          that provider's end of a call
_plivo_dialect  what the providers with checkpoints share
_telnyx_wire    Telnyx' media stream

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""

import pkgutil
import secrets
from collections.abc import Iterator, Mapping
from importlib import import_module

from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.webhook import SimProvider


class _Providers(Mapping[str, SimProvider]):
    def __init__(self) -> None:
        self._names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_")

    def __getitem__(self, name: str) -> SimProvider:
        if name not in self._names:
            raise KeyError(name)
        provider = import_module(f"{__name__}.{name}").provider
        assert isinstance(provider, SimProvider)  # noqa: S101 -- the module's contract
        return provider

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


PROVIDERS: Mapping[str, SimProvider] = _Providers()
"""The simulated providers by name."""


def open_account(provider: str, api_url: str, key: str = "") -> Account:
    """Return an account at ``provider``, whose REST API is played at ``api_url``.

    Two accounts that are opened with the same ``key`` have the same proofs of webhooks and streams; without it every
    account is another.
    """
    keys = Keys(provider, key or secrets.token_urlsafe(24))
    opened, shared = PROVIDERS[provider].account(keys, api_url), keys.texts("stream_secret")
    return Account({**opened.settings, **shared}, {**opened.secrets, **shared})


def open_account_at(provider: str, api: SimulatedApi) -> Account:
    """Return an account at ``provider`` whose REST API is ``api``, which then has what is there before any call."""
    if (serve := PROVIDERS[provider].serve) is not None:
        serve(api)
    return open_account(provider, api.url)
