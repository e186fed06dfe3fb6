"""What the status of a gateway elsewhere means."""

import pytest

from gateway.cli.calling.own_gateway import CalledGateway
from gateway.cli.calling.refusals import explained
from gateway.config.providers import Providers, settings_of
from gateway.sim.phone.connecting import RefusedError


def told(
    status: int, said: str = "", *, stream: bool = False, provider: str = "twilio", url: str = "http://h", **known: str
) -> str:
    """What is said of this status."""
    answer_url = f"{url}/answer/{provider}" if url.startswith("http") else ""
    called = CalledGateway(answer_url=answer_url, secrets=known, with_test_key=bool(known.get("test_key")))
    return explained(RefusedError("refused", status, stream=stream, said=said), called, provider, "+14255550100")


@pytest.mark.parametrize("provider", Providers.model_fields)
def test_a_webhook_without_a_signature_names_what_is_missing(provider: str) -> None:
    """The variables of this environment that the provider's proof is made of, for every provider."""
    names = [f"{provider}_{name}".upper() for name in settings_of(provider).proofs]
    assert all(name in told(403, provider=provider) for name in names)
    assert "serve --emulator" in told(403, provider=provider)


def test_a_wrong_signature_names_what_to_compare() -> None:
    """The secret is set, so it is another, or the address is."""
    assert told(403, auth_token="x").startswith("TWILIO_AUTH_TOKEN here is not what the gateway has, or its public_url")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("no such provider here", "it does not serve twilio"),
        ("no such line here", "none of its lines takes +14255550100: --to takes another number"),
        ("404: Not Found", "the address is no gateway's, it does not serve twilio, or none of its lines takes +1425"),
    ],
)
def test_what_was_not_found(said: str, means: str) -> None:
    """Provider, line or gateway: the text of the answer says which."""
    assert told(404, said).startswith(means)


def test_a_stream_that_is_not_opened() -> None:
    """Says that the webhook is the way, for whoever typed the stream's address."""
    assert "give --url the gateway's http:// or https:// address" in told(403, stream=True, url="ws://h")
    assert told(404, stream=True)


def test_a_stream_that_was_to_prove_itself() -> None:
    """Where no webhook is asked, the secret is what is missing or wrong; else it may be the token."""
    assert "GENESYS_CLIENT_SECRET here: set what" in told(403, stream=True, provider="genesys")
    assert told(403, stream=True, provider="genesys", client_secret="x").startswith("GENESYS_CLIENT_SECRET here is not")
    assert "GATEWAY_STREAM_KEY" in told(403, stream=True, auth_token="x")


def test_a_test_key_of_an_earlier_start() -> None:
    """Nothing of this environment is wrong."""
    assert told(403, auth_token="x", test_key="k").startswith("the test key is good until serve --emulator stops")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_a_proxy_says(status: int, stream: bool) -> None:
    """Is explained for both requests."""
    assert told(status, stream=stream)


def test_what_nobody_knows_is_not_explained() -> None:
    """Better nothing than a guess."""
    assert told(418) == ""
