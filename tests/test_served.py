"""The providers of accounts, as they are served."""

import pytest

from gateway.audio.formats import L16_16K, PCMU
from gateway.config import Deployment
from gateway.config.providers import settings_of
from gateway.served import make_provider, providers_of, usual_format


def test_the_accounts_of_a_deployment_are_served_under_their_names() -> None:
    """Each by its own provider, which knows its webhook where the gateway has a public URL."""
    deployment = Deployment.model_validate(
        {"public_url": "https://h", "providers": {"plivo": {}, "pbx": {"provider": "twilio"}}, "console": False}
    )
    served = providers_of(deployment)
    assert {name: (provider.name, provider.traits.title) for name, provider in served.items()} == {
        "plivo": ("plivo", "Plivo"),
        "pbx": ("pbx", "Twilio"),
    }


@pytest.mark.parametrize(
    ("name", "keys", "expected"),
    [("twilio", {}, PCMU), ("vonage", {"rate_hz": 16000}, L16_16K)],
)
def test_the_usual_format_is_that_of_the_account_s_rate(name: str, keys: dict[str, int], expected: object) -> None:
    """An account without a rate has the first format of its provider."""
    section = settings_of(name).model_validate(keys)
    assert usual_format(make_provider(name, section), section) == expected
