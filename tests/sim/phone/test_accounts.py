"""Accounts that both ends make for themselves."""

import pytest

from gateway.config.providers import Providers, settings_of
from gateway.sim.providers import PROVIDERS, open_account


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_key_opens_the_same_account(provider: str) -> None:
    """Webhooks and streams that one end proves, the other one takes; the key of a REST API is nobody's proof."""
    first, second, other = (open_account(provider, "", key) for key in ("key", "key", "another"))
    for name in (*settings_of(provider).proofs, "stream_secret"):
        assert first.settings[name] == second.settings[name]
        assert first.settings[name] != other.settings[name]
        assert first.secrets.get(name) == second.secrets.get(name)


def test_without_a_key_every_account_is_another() -> None:
    """Nothing can be guessed."""
    first, second = (open_account("twilio", "") for _ in range(2))
    assert first.secrets["auth_token"] != second.secrets["auth_token"]


def test_providers_share_no_secret() -> None:
    """One key stands for all of them, and none of them can act for another."""
    found = [open_account(provider, "", "key").settings["stream_secret"] for provider in Providers.model_fields]
    assert len(set(found)) == len(found)
