"""Secrets are replaced while calls come in: the new one and the old one open every door, and no third one does."""

import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app import serving
from gateway.config.deployment import Streams
from gateway.config.providers import Providers, settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.config.secrets import may_be_two
from gateway.errors import GatewayError
from gateway.sim.caller.call import CallPlan, CallResult, place_call
from gateway.sim.emulator import Emulator
from gateway.sim.phone.accounts import Account
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.providers import open_account_at
from tests.e2e.rig import NUMBER, configuration, instant, load


class Served:
    """A gateway whose provider has two accounts' secrets, ``new`` and ``old``."""

    def __init__(self, provider: str, account: str, url: str, api: SimulatedApi, emulator: Emulator) -> None:
        self.new, self.old, self.other = (open_account_at(provider, api) for _ in range(3))
        self.url = url
        self.emulator = emulator
        self._provider, self._account, self._api = provider, account, api

    def section(self) -> object:
        """The provider's section: two values wherever two are taken."""
        fields = settings_of(self._provider).model_fields
        values: dict[str, object] = {"provider": self._provider}
        for key, value in self.new.settings.items():
            both = [FromEnvironment(one, "A") for one in (value, self.old.settings[key])]
            values[key] = both if may_be_two(fields[key].annotation) else both[0]
        return settings_of(self._provider).model_validate(values)

    def known(self, account: Account) -> Mapping[str, str]:
        """What the provider knows, with whatever can be replaced taken from ``account``."""
        fields = settings_of(self._provider).model_fields
        single = {key for key in self.new.secrets if key in fields and not may_be_two(fields[key].annotation)}
        return {**account.secrets, **{key: self.new.secrets[key] for key in single}}

    async def call(self, account: Account) -> CallResult:
        """A call of the provider, with the secrets of ``account``; ``GatewayError`` where it is refused."""
        plan = CallPlan(
            [],
            to=NUMBER,
            from_="+14155550123",
            provider=self._provider,
            max_duration_s=0.3,
            answer_url=f"{self.url}/answer/{self._account}",
            status_url=f"{self.url}/status/{self._account}",
            secrets=self.known(account),
        )
        return await place_call(plan, api=self._api)


@asynccontextmanager
async def served(folder: Path, provider: str, account: str) -> AsyncIterator[Served]:
    """Serve one account at ``provider`` until the block ends."""
    deployment, lines = load(configuration(folder))
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(SimulatedApi.serving())
        emulator = await stack.enter_async_context(Emulator(instant()))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        held = Served(provider, account, f"http://127.0.0.1:{listener.getsockname()[1]}", api, emulator)
        providers = Providers.model_validate({account: held.section()})
        update = {"public_url": held.url, "providers": providers, "streams": Streams()}
        await stack.enter_async_context(
            serving(
                deployment.model_copy(update=update),
                lines,
                endpoint=emulator.endpoint,
                api_key="any",
                listener=listener,
            )
        )
        yield held


@pytest.mark.parametrize("provider", Providers.model_fields)
async def test_new_and_old_are_good_and_no_other(tmp_path: Path, provider: str) -> None:
    """By webhook and stream, of every provider, as an account under a name of its own."""
    async with served(tmp_path, provider, f"{provider}-eu") as held:
        for count, account in enumerate((held.new, held.old), start=1):
            result = await held.call(account)
            assert not result.violations
            assert len(held.emulator.sessions) == count
        with pytest.raises(GatewayError):
            await held.call(held.other)
        assert len(held.emulator.sessions) == 2
