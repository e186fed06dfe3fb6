"""What each provider is told of one's account there."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from gateway.config import Deployment, load_deployment
from gateway.config.providers import ProviderName, Providers, Twilio, environment_names, settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.errors import GatewayError
from gateway.phone.providers import PROVIDERS
from gateway.served import make_provider
from gateway.sim.providers import PROVIDERS as SIMULATED
from gateway.sim.providers import open_account

NAMES = tuple(Providers.model_fields)


def load(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Deployment:
    """The deployment of this text."""
    (folder / "gateway.yaml").write_text(text, "utf-8")
    return load_deployment(folder / "gateway.yaml", environ or {})


def test_whatever_can_be_configured_can_be_served_and_simulated() -> None:
    """A section, a module and a simulated end for each provider, under one name."""
    assert set(NAMES) == set(PROVIDERS) == set(SIMULATED)
    assert [make_provider(name, settings_of(name)()).name for name in PROVIDERS] == list(PROVIDERS)


def test_a_provider_is_known_everywhere_by_one_name(tmp_path: Path) -> None:
    """As a key, as the provider of an account, and to the section that tells of mistakes in it."""
    assert get_args(ProviderName) == NAMES
    for name in NAMES:
        section = load(tmp_path, f"providers: {{pbx: {{provider: {name}}}}}\n").providers.accounts["pbx"]
        assert type(section) is settings_of(name)
        assert type(section).is_meant_by({"provider": name})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("section", ["", " {}"])
def test_a_provider_is_served_when_it_is_named(tmp_path: Path, name: str, section: str) -> None:
    """With a section or with nothing beneath it; and no other."""
    assert load(tmp_path, f"providers:\n  {name}:{section}\n").providers.served == [name]


@pytest.mark.parametrize("name", NAMES)
def test_every_key_may_come_from_the_environment(tmp_path: Path, name: str) -> None:
    """The settings of an account, each as ``<PROVIDER>_<KEY>``; not for a provider that the file does not name."""
    settings = open_account(name, "http://127.0.0.1:1").settings
    environ = {f"{name}_{key}".upper(): value for key, value in settings.items()}
    section = getattr(load(tmp_path, f"providers: {{{name}: {{}}}}\n", environ).providers, name)
    for key, value in settings.items():
        given = getattr(section, key)
        if isinstance(given, SecretStr):
            assert value not in repr(section)
            given = given.get_secret_value()
        assert given == value.strip()
    assert load(tmp_path, "providers: {}\n", environ).providers.served == []


@pytest.mark.parametrize("name", NAMES)
def test_an_account_has_all_that_its_provider_is_checked_by(name: str) -> None:
    """What is opened at the simulated provider loads as its section, and lacks no proof."""
    settings = open_account(name, "http://127.0.0.1:1").settings
    values = {key: FromEnvironment(value, "the account") for key, value in settings.items()}
    section = settings_of(name).model_validate(values)
    assert all(getattr(section, key) for key in section.proofs)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://api.example.com/X/", "https://api.example.com/X"),
        ("https://api.example.com//", "https://api.example.com"),
        ("http://127.0.0.1:8080/v2", "http://127.0.0.1:8080/v2"),
    ],
)
def test_an_address_has_no_slash_at_its_end(tmp_path: Path, written: str, url: str) -> None:
    """Paths are put behind it; what else it ends with stays."""
    providers = load(tmp_path, f"providers: {{twilio: {{api_url: '{written}'}}}}\n", {}).providers
    twilio = providers.accounts["twilio"]
    assert isinstance(twilio, Twilio)
    assert twilio.api_url == url


def test_names_in_the_environment_are_plain() -> None:
    """``<PROVIDER>_<KEY>``, one for each key, none twice."""
    names = [name for (name,) in environment_names().values()]
    assert environment_names()["providers", "twilio", "auth_token"] == ("TWILIO_AUTH_TOKEN",)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("twilio: {auth_token: abc}", "providers.twilio.auth_token: is a secret written into a file"),
        (
            "plivo: {api_url: api.plivo.com}",
            "providers.plivo.api_url: 'api.plivo.com' is not an address that can be used",
        ),
        (
            "plivo: {api_url: 'https://me:pass-word@plivo.example'}",
            "providers.plivo.api_url: has a user and a password in it, expected the address alone",
        ),
        ("vonage: {rate_hz: 44100}", "providers.vonage.rate_hz"),
        ("telnix: {}", "did you mean telnyx?"),
        ("acs: {acces_key: '${K}'}", "did you mean access_key?"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, section: str, says: str) -> None:
    """File, line and key, and never the secret."""
    with pytest.raises(GatewayError) as caught:
        load(tmp_path, f"providers: {{{section}}}\n", {"K": "k"})
    assert says in str(caught.value)
    assert "abc" not in str(caught.value)
