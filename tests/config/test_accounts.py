"""Several accounts at one provider, and the old values of secrets."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config import ConfigErrors, Deployment, load_deployment
from gateway.config.providers import Providers, provider_of, settings_of, variables_of
from gateway.config.reading.environment import OLD
from gateway.config.secrets import may_be_two, values_of
from gateway.errors import InputError
from gateway.phone.provider import SignatureError
from gateway.phone.webhook import WebhookRequest
from gateway.served import make_provider, providers_of
from gateway.sim.providers import open_account
from tests.phone.parts import webhooks

NAMES = tuple(Providers.model_fields)


def load(folder: Path, providers: str, environ: Mapping[str, str] | None = None) -> Deployment:
    """The deployment of these providers."""
    (folder / "gateway.yaml").write_text(f"public_url: https://h\nproviders: {providers}\n", "utf-8")
    return load_deployment(folder / "gateway.yaml", environ or {})


@pytest.mark.parametrize("name", NAMES)
def test_an_account_has_variables_of_its_own(tmp_path: Path, name: str) -> None:
    """None of them is the other account's, and nothing falls back to it."""
    ours, theirs = (open_account(name, "http://127.0.0.1:1").settings for _ in range(2))
    environ = {f"{name}_{key}".upper(): value for key, value in ours.items()}
    environ |= {f"{name}_EU_{key}".upper(): value for key, value in theirs.items()}
    text = f"{{{name}: {{}}, {name}-eu: {{provider: {name}}}, other: {{provider: {name}}}}}"
    accounts = load(tmp_path, text, environ).providers.accounts
    assert list(accounts) == [name, f"{name}-eu", "other"]
    assert {provider_of(*account) for account in accounts.items()} == {name}
    for key in ours:
        values = [getattr(section, key) for section in accounts.values()]
        assert values[2] == settings_of(name).model_fields[key].default
        if ours[key] != theirs[key]:
            assert values[0] != values[1]


def test_a_variable_that_no_call_can_carry_is_told(tmp_path: Path) -> None:
    """By its name, new and old, and never by what it holds."""
    environ = {
        "TWILIO_AUTH_TOKEN": "a\x07b",
        "TWILIO_AUTH_TOKEN_OLD": "c\x00d",
        "AZURE_COGNITIVE_SERVICES_KEY": "e\x01",
    }
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, "{twilio: {}}", environ)
    assert [error.message for error in caught.value.errors] == [
        "voice_live.key: environment variable AZURE_COGNITIVE_SERVICES_KEY holds U+0001, a control character, "
        "expected text",
        "providers.twilio.auth_token: environment variable TWILIO_AUTH_TOKEN holds U+0007, a control character, "
        "expected text",
        "providers.twilio.auth_token: environment variable TWILIO_AUTH_TOKEN_OLD holds U+0000, a control character, "
        "expected text",
    ]


def test_an_account_is_a_provider_under_its_name(tmp_path: Path) -> None:
    """The name is in its routes; what it wants from the environment is the account's own. The console has a phone."""
    served = providers_of(load(tmp_path, "{plivo: {}, plivo-eu: {provider: plivo}}"))
    assert {name: provider.name for name, provider in served.items()} == {
        "plivo": "plivo",
        "plivo-eu": "plivo-eu",
        "browser": "browser",
    }
    with pytest.raises(SignatureError, match=r"^PLIVO_EU_AUTH_TOKEN is not set"):
        webhooks(served["plivo-eu"]).verify(WebhookRequest("POST", "https://h/answer/plivo-eu", {}), 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_names_the_account_s_variable(name: str) -> None:
    """Of any provider: an operator with two accounts must know which of them lacks what."""
    account = make_provider("pbx-2", settings_of(name).model_validate({"provider": name}), "https://h")
    if account.webhooks is None:
        return
    with pytest.raises(SignatureError) as caught:
        account.webhooks.verify(WebhookRequest("POST", "https://h/answer/pbx-2", {}, query=[("secret", "x")]), 0)
    assert "pbx-2" in str(caught.value).lower().replace("_", "-")


@pytest.mark.parametrize(
    ("providers", "says"),
    [
        ("{telnix: {}}", "providers.telnix: unknown key, did you mean telnyx?"),
        ("{twilio-eu: {}}", "unknown key, did you mean twilio? (an account under a name of its own says whose it is"),
        ("{pbx: {}}", "says whose it is: provider: twilio)"),
        ("{pbx: {provider: telnix}}", "providers.pbx.provider: 'telnix' is no provider, did you mean telnyx?"),
        ("{pbx: {provider: [twilio]}}", "providers.pbx.provider: this is no provider"),
        ("{plivo: {provider: twilio}}", "providers.plivo.provider: plivo is an account at plivo"),
        ("{Pbx: {provider: twilio}}", "providers.Pbx: is not fit for a name"),
        ("{pbx_2: {provider: twilio}}", "providers.pbx_2: is not fit for a name"),
        ("{pbx-: {provider: twilio}}", "providers.pbx-: is not fit for a name"),
        ("{'a/b': {provider: twilio}}", "providers.a/b: is not fit for a name"),
        (
            "{pbx: {provider: twilio, auth_tokn: '${A}'}}",
            "providers.pbx.auth_tokn: unknown key, did you mean auth_token?",
        ),
        ("{pbx: {provider: twilio, auth_token: abc}}", "providers.pbx.auth_token: is a secret written into a file"),
        ("{pbx: text}", "providers.pbx: unknown key"),
        ("{twilio: {api_url: 'https://h:99999'}}", "is not an address that can be used"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, providers: str, says: str) -> None:
    """File, line and key, once, and never the secret."""
    with pytest.raises(InputError) as caught:
        load(tmp_path, providers, {"A": "a"})
    (line,) = str(caught.value).splitlines()
    assert says in line
    assert line.startswith(f"{tmp_path / 'gateway.yaml'}:2:")
    assert "abc" not in line


@pytest.mark.parametrize("name", NAMES)
def test_the_old_value_has_a_variable_too(tmp_path: Path, name: str) -> None:
    """Of every key that something is checked by, and of no other."""
    new, old = (open_account(name, "http://127.0.0.1:1").settings for _ in range(2))
    names = variables_of(name, name)
    environ = {names[key]: value for key, value in new.items()}
    environ |= {names[key] + OLD: value for key, value in old.items()}
    section = load(tmp_path, f"{{{name}: {{}}}}", environ).providers.accounts[name]
    fields = settings_of(name).model_fields
    rotated = {key for key in new if may_be_two(fields[key].annotation)}
    assert rotated >= {"stream_secret", *(key for key in section.proofs if key != "resource_id")}
    for key in rotated:
        assert values_of(getattr(section, key)) == (new[key], old[key])
    for key in new.keys() - rotated:
        assert not isinstance(getattr(section, key), tuple)


def test_the_file_goes_before_the_environment(tmp_path: Path) -> None:
    """A key that the file writes takes nothing from there, the old value neither."""
    environ = {"A": "a", "TWILIO_AUTH_TOKEN": "b", "TWILIO_AUTH_TOKEN_OLD": "c"}
    section = load(tmp_path, "{twilio: {auth_token: '${A}'}}", environ).providers.accounts["twilio"]
    assert values_of(getattr(section, "auth_token", None)) == ("a",)


def test_the_stream_key_may_be_two(tmp_path: Path) -> None:
    """From the environment, or as a list."""
    environ = {"GATEWAY_STREAM_KEY": "new\n", "GATEWAY_STREAM_KEY_OLD": "old", "A": "a", "B": "b"}
    assert values_of(load(tmp_path, "{}", environ).streams.key) == ("new", "old")
    assert values_of(load(tmp_path, "{}\nstreams: {key: ['${A}', '${B}']}", environ).streams.key) == ("a", "b")
