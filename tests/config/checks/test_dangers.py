"""What makes a deployment open to anybody."""

from pathlib import Path

import pytest

from gateway.config.checks.dangers import exposures, weak_keys, weak_secrets
from gateway.config.deployment import Deployment
from tests.e2e.rig import configuration, load

STRONG = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def deployment(folder: Path, text: str, **environ: str) -> Deployment:
    """A deployment with this ``gateway.yaml``."""
    return load(configuration(folder, gateway=text), environ)[0]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("k", "has 1 character"),
        ("s3cret", "has 6 characters"),
        ("fifteen-letters", "has 15 characters"),
        ("a" * 40, "has 1 different character"),
        ("abababababababababab", "has 2 different characters"),
    ],
)
def test_a_key_that_can_be_guessed_is_no_key(tmp_path: Path, key: str, why: str) -> None:
    """A token was forged with one of a letter; the key itself is not told."""
    found = deployment(tmp_path, "providers: {asterisk: {}}\n", GATEWAY_STREAM_KEY=key, ASTERISK_STREAM_SECRET=key)
    told = [error.message for error in weak_keys(found)]
    expected = f"{why}, so that it can be guessed: expected 16 or more at random, such as `openssl rand -hex 32` makes"
    assert told == [f"streams.key: {expected}", f"providers.asterisk.stream_secret: {expected}"]


def test_both_keys_of_a_rotation_count(tmp_path: Path) -> None:
    """An old one that is still taken is as good as the new one to whoever guesses it."""
    environ = {"GATEWAY_STREAM_KEY": STRONG, "GATEWAY_STREAM_KEY_OLD": "old"}
    (error,) = weak_keys(deployment(tmp_path, "{}\n", **environ))
    assert error.message.startswith("streams.key[1]: has 3 characters")
    assert (error.key, error.file) == ("streams.key[1]", str(tmp_path / "gateway.yaml"))


def test_a_random_key_is_right(tmp_path: Path) -> None:
    """So is none at all: one is then made up at the start."""
    assert weak_keys(deployment(tmp_path / "1", "{}\n", GATEWAY_STREAM_KEY=STRONG)) == []
    assert weak_keys(deployment(tmp_path / "2", "{}\n")) == []


def test_a_provider_s_short_secret_is_warned_of(tmp_path: Path) -> None:
    """Of every provider's; what a provider shows is longer, and names are no secrets."""
    text = "providers: {twilio: {}, jambonz: {}, bandwidth: {}}\n"
    environ = {
        "TWILIO_AUTH_TOKEN": "fifteen-letters",
        "TWILIO_ACCOUNT_SID": "AC",
        "JAMBONZ_WEBHOOK_SECRET": STRONG,
        "BANDWIDTH_WEBHOOK_PASSWORD": "aaaaaaaaaaaa",
    }
    found = deployment(tmp_path, text, **environ)
    assert list(weak_secrets(found)) == [
        "providers.twilio.auth_token: has 15 characters, so that it can be guessed: expected what the provider shows",
        "providers.bandwidth.webhook_password: has 12 characters, so that it can be guessed: "
        "expected what the provider shows",
    ]
    assert weak_keys(found) == []


@pytest.mark.parametrize(("secret", "why"), [("t", "1 character"), ("seven-7", "7 characters")])
def test_what_is_no_provider_s_secret_is_an_error(tmp_path: Path, secret: str, why: str) -> None:
    """At every provider that has one, the old one of a rotation too; the message has its place and not its text."""
    text = "providers: {twilio: {}, vonage: {}, bandwidth: {}, jambonz: {}, telnyx: {}}\n"
    environ = {
        "TWILIO_AUTH_TOKEN": STRONG,
        "TWILIO_AUTH_TOKEN_OLD": secret,
        "VONAGE_SIGNATURE_SECRET": secret,
        "BANDWIDTH_WEBHOOK_PASSWORD": secret,
        "JAMBONZ_WEBHOOK_SECRET": secret,
        "TELNYX_API_KEY": secret,
    }
    found = deployment(tmp_path, text, **environ)
    expected = f"has {why}, expected what the provider shows, 8 characters or more at all of them"
    keys = [
        "twilio.auth_token[1]",
        "vonage.signature_secret",
        "bandwidth.webhook_password",
        "jambonz.webhook_secret",
        "telnyx.api_key",
    ]
    assert sorted(error.message for error in weak_keys(found)) == sorted(f"providers.{key}: {expected}" for key in keys)
    assert {error.file for error in weak_keys(found)} == {str(tmp_path / "gateway.yaml")}
    assert list(weak_secrets(found)) == []


def test_eight_different_characters_are_let_be(tmp_path: Path) -> None:
    """With a warning: old accounts have such secrets."""
    found = deployment(tmp_path, "providers: {vonage: {}}\n", VONAGE_SIGNATURE_SECRET="1a2b3c4d")
    assert weak_keys(found) == []
    (warning,) = weak_secrets(found)
    assert warning.startswith("providers.vonage.signature_secret: has 8 characters")


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("abcdefghijklmno", ["has 15 characters"]),
        ("abcdefghijklmnop", []),
        ("abcabcabcabcabcabc", ["has 3 different characters"]),
        ("abcdabcdabcdabcd", []),
    ],
)
def test_sixteen_characters_of_four_kinds_are_a_secret(tmp_path: Path, token: str, told: list[str]) -> None:
    """What a provider gives has more; less may be guessed."""
    found = weak_secrets(deployment(tmp_path, "providers: {twilio: {}}\n", TWILIO_AUTH_TOKEN=token))
    assert [warning.split(": ")[1].partition(",")[0] for warning in found] == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('streams: {auth: "off"}\n', "streams.auth: off, while 0.0.0.0 lets others in"),
        ('listen: {host: "::"}\nstreams: {auth: "off"}\n', "streams.auth: off, while :: lets others in"),
        ("public_url: http://voice.example.com\n", "public_url: is not encrypted, expected https://"),
        ("public_url: http://20.1.2.3:8080\n", "public_url: is not encrypted, expected https://"),
    ],
)
def test_what_others_reach_is_protected(tmp_path: Path, text: str, told: str) -> None:
    """Otherwise check refuses the whole."""
    (error,) = exposures(deployment(tmp_path, text))
    assert error.message.startswith(told)


@pytest.mark.parametrize(
    "text",
    [
        'listen: {host: 127.0.0.1}\nstreams: {auth: "off"}\n',
        'listen: {host: localhost}\nstreams: {auth: "off"}\n',
        'listen: {host: "::1"}\nstreams: {auth: "off"}\n',
        "public_url: https://voice.example.com\n",
        "public_url: http://127.0.0.1:8080\n",
        "public_url: http://10.0.0.5:8080\n",
        "public_url: http://gateway:8080\n",
        "public_url: http://gateway.internal:8080\n",
    ],
)
def test_what_stays_on_one_s_own_network_is_let_be(tmp_path: Path, text: str) -> None:
    """A test on one machine, a phone system beside the gateway."""
    assert exposures(deployment(tmp_path, text)) == []


def test_the_key_of_consoles_is_no_guess_and_no_word_crosses_the_internet_in_the_clear(tmp_path: Path) -> None:
    """A private address may be reached without TLS, as a private network is."""
    text = "console: {gateways: ['http://10.0.0.5:9090', 'http://198.51.100.7:9090'], key: '${KEY}'}\n"
    found = deployment(tmp_path, text, KEY="short")
    assert [error.key for error in weak_keys(found)] == ["console.key"]
    public = deployment(tmp_path, text.replace("198.51.100.7", "8.8.8.8"), KEY=STRONG)
    assert weak_keys(public) == []
    assert [error.key for error in exposures(public)] == ["console.gateways[1]"]
