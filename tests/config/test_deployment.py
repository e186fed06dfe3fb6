from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.config import ConfigErrors, Deployment, load_deployment
from gateway.config.deployment import FALLBACKS
from gateway.config.providers import Providers, Twilio
from gateway.config.urls import private_listener
from gateway.errors import ConfigError

PROVIDERS = list(Providers.model_fields)


def load(tmp_path: Path, text: str, endpoint: str | None = None, **environ: str) -> Deployment:
    """The deployment of a file with ``text``."""
    file = tmp_path / "gateway.yaml"
    file.write_text(text)
    return load_deployment(file, environ, endpoint)


def errors(tmp_path: Path, text: str, **environ: str) -> list[str]:
    """The errors of a file with ``text``, without its directory."""
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, text, **environ)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_an_empty_file_is_a_deployment(tmp_path: Path) -> None:
    """Every key has a default."""
    deployment = load(tmp_path, "")
    assert deployment.listen.port == 8080
    assert deployment.voice_live.model == "gpt-realtime"
    assert deployment.voice_live.api_version == "2026-07-15"
    assert deployment.providers.accounts == {}
    assert deployment.limits.calls == 200
    assert deployment.lines == "lines/*.yaml"


@pytest.mark.parametrize(
    "names",
    [
        ("AZURE_COGNITIVE_SERVICES_ENDPOINT", "AZURE_VOICE_LIVE_ENDPOINT", "AZURE_VOICELIVE_ENDPOINT"),
        ("AZURE_VOICE_LIVE_ENDPOINT", "AZURE_VOICELIVE_ENDPOINT"),
        ("AZURE_VOICELIVE_ENDPOINT",),
    ],
)
def test_the_endpoint_is_the_first_that_is_set(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The order of the names, not of the environment, decides."""
    environ = {name: f"https://{name.lower().replace('_', '-')}.example" for name in reversed(names)}
    assert load(tmp_path, "", **environ).require_endpoint() == environ[names[0]]


@pytest.mark.parametrize(
    "names",
    [
        ("AZURE_COGNITIVE_SERVICES_KEY", "AZURE_VOICE_LIVE_API_KEY", "AZURE_VOICELIVE_API_KEY"),
        ("AZURE_VOICE_LIVE_API_KEY", "AZURE_VOICELIVE_API_KEY"),
        ("AZURE_VOICELIVE_API_KEY",),
    ],
)
def test_the_key_is_the_first_that_is_set(tmp_path: Path, names: tuple[str, ...]) -> None:
    """An empty one is passed over, as a line of a .env file without a value."""
    environ = {"AZURE_COGNITIVE_SERVICES_KEY": ""} | {name: f"secret-{name}" for name in names}
    key = load(tmp_path, "", **environ).voice_live.key
    assert key
    assert key.get_secret_value() == f"secret-{names[0]}"


def test_the_file_goes_before_the_environment(tmp_path: Path) -> None:
    """A key that is written is meant; the environment fills what is not."""
    text = "voice_live: {model: gpt-4.1, endpoint: https://mine.example}\n"
    environ = {
        "VOICE_LIVE_MODEL": "gpt-5",
        "AZURE_COGNITIVE_SERVICES_ENDPOINT": "https://other.example",
        "AZURE_VOICE_LIVE_API_VERSION": "2026-04-10",
    }
    voice_live = load(tmp_path, text, **environ).voice_live
    assert (voice_live.model, voice_live.endpoint) == ("gpt-4.1", "https://mine.example")
    assert voice_live.api_version == "2026-04-10"


def test_the_model_may_come_from_the_environment(tmp_path: Path) -> None:
    """VOICE_LIVE_MODEL goes before AZURE_VOICELIVE_MODEL."""
    assert load(tmp_path, "", AZURE_VOICELIVE_MODEL="b").voice_live.model == "b"
    assert load(tmp_path, "", AZURE_VOICELIVE_MODEL="b", VOICE_LIVE_MODEL="a").voice_live.model == "a"


def test_an_endpoint_from_outside_replaces_every_other(tmp_path: Path) -> None:
    """With the emulator a file that names a variable which is not set can be used all the same."""
    text = "voice_live:\n  endpoint: ${AZURE_COGNITIVE_SERVICES_ENDPOINT}\n"
    deployment = load(tmp_path, text, endpoint="http://127.0.0.1:9000")
    assert deployment.require_endpoint() == "http://127.0.0.1:9000"


def test_a_missing_endpoint_is_an_error_when_it_is_needed(tmp_path: Path) -> None:
    """The message names every variable that could hold it."""
    deployment = load(tmp_path, "")
    with pytest.raises(ConfigError) as caught:
        deployment.require_endpoint()
    assert str(caught.value) == (
        f"{tmp_path}/gateway.yaml: voice_live.endpoint: is not set, expected it here or in the environment as "
        "AZURE_COGNITIVE_SERVICES_ENDPOINT, AZURE_VOICE_LIVE_ENDPOINT or AZURE_VOICELIVE_ENDPOINT"
    )


def test_secrets_of_a_provider_come_from_its_own_names(tmp_path: Path) -> None:
    """Without them the gateway loads, for the emulator; with them they come from the provider's own names."""
    with pytest.raises(ConfigError, match=r"public_url: is not set, .* as GATEWAY_PUBLIC_URL"):
        load(tmp_path, "").require_public_url()
    deployment = load(
        tmp_path, "providers:\n  twilio:\n", TWILIO_AUTH_TOKEN="t0ken", GATEWAY_PUBLIC_URL="https://a.example/"
    )
    twilio = deployment.providers.accounts["twilio"]
    assert isinstance(twilio, Twilio)
    assert twilio.auth_token == SecretStr("t0ken")
    assert deployment.require_public_url() == "https://a.example"


def test_a_provider_is_served_only_when_it_is_named(tmp_path: Path) -> None:
    """A token in the environment alone opens no route."""
    assert load(tmp_path, "", TWILIO_AUTH_TOKEN="t0ken").providers.accounts == {}


def test_secrets_are_in_no_text_of_the_deployment(tmp_path: Path) -> None:
    """Neither repr nor str nor JSON shows a key."""
    environ = {"AZURE_COGNITIVE_SERVICES_KEY": "k3y", "TWILIO_AUTH_TOKEN": "t0ken"}
    deployment = load(tmp_path, "providers: {twilio: {}}", **environ)
    shown = f"{deployment!r} {deployment} {deployment.model_dump_json()} {deployment.model_dump()}"
    assert "k3y" not in shown
    assert "t0ken" not in shown


def test_secrets_are_in_no_error(tmp_path: Path) -> None:
    """A key at the wrong place is named by its variable."""
    found = errors(
        tmp_path,
        "limits: {calls: '${AZURE_COGNITIVE_SERVICES_KEY}'}\nvoice_live: {endpoint: '${TWILIO_AUTH_TOKEN}'}\n",
        AZURE_COGNITIVE_SERVICES_KEY="k3y",
        TWILIO_AUTH_TOKEN="t0ken",
    )
    assert found == [
        "gateway.yaml:1:10: limits.calls: expected a whole number or auto, found the value of "
        "AZURE_COGNITIVE_SERVICES_KEY",
        "gateway.yaml:2:14: voice_live.endpoint: the value of TWILIO_AUTH_TOKEN is not an address that can be used, "
        "expected such as https://my-resource.services.ai.azure.com",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("listen: {prot: 80}", "gateway.yaml:1:10: listen.prot: unknown key, did you mean port?"),
        ("listen:\nport: 8080\n", "gateway.yaml:2:1: port: belongs to listen: indent it deeper than that"),
        (
            "providers:\ntwilio:\n  auth_token: abc\n",
            "gateway.yaml:2:1: twilio: belongs to providers: indent it deeper than that",
        ),
        (
            "listen: {host: '127.0.0.1:8080'}",
            "gateway.yaml:1:10: listen.host: has a port in it, expected 127.0.0.1 as host and 8080 as port",
        ),
        (
            "listen: {host: 256.1.1.1}",
            "gateway.yaml:1:10: listen.host: '256.1.1.1' is not an address to listen on, expected such as 0.0.0.0, "
            "127.0.0.1 or ::1",
        ),
        (
            "listen: {host: 'http://127.0.0.1'}",
            "gateway.yaml:1:10: listen.host: 'http://127.0.0.1' is not an address to listen on, expected such as "
            "0.0.0.0, 127.0.0.1 or ::1",
        ),
        (
            "listen: {host: '[::1'}",
            "gateway.yaml:1:10: listen.host: '[::1' is not an address to listen on, expected such as 0.0.0.0, "
            "127.0.0.1 or ::1",
        ),
        ("listen: {port: 70000}", "gateway.yaml:1:10: listen.port: 70000 is too large, expected at most 65535"),
        ("providers: {twillio: {}}", "gateway.yaml:1:13: providers.twillio: unknown key, did you mean twilio?"),
        (
            "streams: {auth: tokens}",
            "gateway.yaml:1:11: streams.auth: 'tokens' is not known, did you mean token? expected token or off",
        ),
        (
            "voice_live: {key: abc123}",
            "gateway.yaml:1:14: voice_live.key: is a secret written into a file, "
            "expected a reference to the environment, ${NAME}",
        ),
        (
            "public_url: voice.example.com",
            "gateway.yaml:1:1: public_url: 'voice.example.com' is not an address that can be used, "
            "expected such as https://voice.example.com",
        ),
        (
            "voice_live: {api_version: latest}",
            "gateway.yaml:1:14: voice_live.api_version: 'latest' is not an API version, expected such as 2026-07-15",
        ),
        (
            "providers: {twilio: {auth_token: '${NOPE}'}}",
            "gateway.yaml:1:35: providers.twilio.auth_token: environment variable NOPE is not set",
        ),
        (
            "voice_live: {scope: ai.azure.com}",
            "gateway.yaml:1:14: voice_live.scope: 'ai.azure.com' is not a scope, expected such as "
            "https://ai.azure.com/.default",
        ),
        (
            "voice_live: {negotiate: never}",
            "gateway.yaml:1:14: voice_live.negotiate: 'never' is not known, expected on, log or off",
        ),
        (
            "voice_live: {connect_timeout_s: 0}",
            "gateway.yaml:1:14: voice_live.connect_timeout_s: 0 is too small, expected more than 0",
        ),
    ],
)
def test_a_wrong_key_is_told_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    """gateway.yaml is checked as lines are."""
    assert errors(tmp_path, text) == [expected]


def test_a_wrong_value_that_stands_in_for_a_key_is_told_by_its_variable(tmp_path: Path) -> None:
    """The operator looks for it in the environment, not in the file."""
    assert errors(tmp_path, "listen: {port: 80}\n", AZURE_VOICELIVE_ENDPOINT="my-resource") == [
        "gateway.yaml:1:1: voice_live.endpoint: the value of AZURE_VOICELIVE_ENDPOINT is not an address that can be "
        "used, expected such as https://my-resource.services.ai.azure.com"
    ]


def test_values_from_the_environment_take_the_type_of_their_key(tmp_path: Path) -> None:
    """A port is a number however it arrives."""
    assert load(tmp_path, "listen: {port: '${PORT}'}", PORT="9090").listen.port == 9090
    assert load(tmp_path, "listen: {port: ${PORT}}", PORT="9090").listen.port == 9090


@pytest.mark.parametrize(("path", "names"), FALLBACKS.items())
def test_every_fallback_reaches_its_key(tmp_path: Path, path: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Each name of the table, set alone, is what the key then holds."""
    value = "https://a.example" if path[-1].endswith(("url", "endpoint")) else "2026-04-10"
    value = "public" if path == ("sockets",) else value
    value = "postgresql://a.example/calls" if path == ("records", "url") else value
    for name in names:
        found: object = load(tmp_path, f"providers: {{{', '.join(f'{p}: {{}}' for p in PROVIDERS)}}}", **{name: value})
        for part in path:
            found = getattr(found, part)
        assert (found.get_secret_value() if isinstance(found, SecretStr) else found) == value


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("[::]", "::"),
        ("localhost", "localhost"),
        ("gateway-1.local", "gateway-1.local"),
    ],
)
def test_an_address_to_listen_on_may_stand_in_brackets(tmp_path: Path, written: str, host: str) -> None:
    """As it stands in a URL; the socket wants it bare."""
    assert load(tmp_path, f"listen: {{host: '{written}'}}\n").listen.host == host


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:9090", "127.0.0.1", 9090), ("[::1]:0", "::1", 0), ("localhost:1", "localhost", 1)],
)
def test_the_private_listener_is_an_address_and_a_port(text: str, host: str, port: int) -> None:
    """An IPv6 address stands in brackets, as in a URL."""
    assert private_listener(text) == (host, port)


@pytest.mark.parametrize("text", ["9090", "127.0.0.1", ":9090", "::1:9090", "127.0.0.1:65536", "127.0.0.1:x", "a b:1"])
def test_what_is_no_private_listener_is_told(text: str) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match="expected such as"):
        private_listener(text)


def test_how_sessions_are_negotiated_and_by_whom(tmp_path: Path) -> None:
    """The words need no quotes; the scope loses what a copy brings along."""
    file = tmp_path / "gateway.yaml"
    file.write_text("voice_live: {negotiate: off, scope: ' https://a.example/.default '}\n")
    voice_live = load_deployment(file, {}).voice_live
    assert (voice_live.negotiate, voice_live.scope) == ("off", "https://a.example/.default")
    file.write_text("lines: lines/*.yaml\n")
    voice_live = load_deployment(file, {}).voice_live
    assert (voice_live.negotiate, voice_live.scope) == ("on", None)


def test_a_console_brings_the_phone_of_its_pages(tmp_path: Path) -> None:
    """No section names it; where the console is off, nothing serves it."""
    assert list(load(tmp_path, "providers: {twilio: {}}\n").served_accounts) == ["twilio", "browser"]
    assert list(load(tmp_path, "providers: {twilio: {}}\nconsole: false\n").served_accounts) == ["twilio"]
    assert list(load(tmp_path, "providers: {twilio: {}}\n").providers.accounts) == ["twilio"]


@pytest.mark.parametrize(("written", "places"), [("auto", 4000), ("7", 7)])
def test_the_limit_of_calls_is_a_number_or_auto(tmp_path: Path, written: str, places: int) -> None:
    """By the load of each process, there are places for more than it can serve."""
    limits = load(tmp_path, f"limits: {{calls: {written}}}").limits
    assert (str(limits.calls), limits.places) == (written, places)


def test_another_word_for_the_limit_of_calls_is_named(tmp_path: Path) -> None:
    """With both that it may be."""
    with pytest.raises(ConfigErrors, match=r"limits\.calls: expected a whole number or auto, found 'many'"):
        load(tmp_path, "limits: {calls: many}")
