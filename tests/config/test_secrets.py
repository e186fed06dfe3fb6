"""Secrets and names: where they may come from, what of them counts, and their shapes."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr, ValidationError

from gateway.config import Lines, load_deployment
from gateway.config.line.tools import HttpRequest
from gateway.config.providers import Providers, settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.config.reading.section import Section
from gateway.config.secrets import (
    Name,
    Rotated,
    Secret,
    may_be_two,
    read_private_key,
    read_public_key,
    secrets_within,
    values_of,
)
from gateway.sim.providers import open_account

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
TRADITIONAL = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


class Account(Section):
    """A section with each kind of key."""

    secret: Rotated[Secret] | None = None
    name: Rotated[Name] | None = None
    acting: Secret | None = None


def given(text: str) -> FromEnvironment:
    return FromEnvironment(text, "A")


AROUND = ["{}\n", "{}\r\n", " {}", "\t{} \n\n", "\ufeff{}", "{}\u200b", "\u00a0{}\u2003", "{}"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", Providers.model_fields)
def test_white_space_around_does_not_count(name: str, around: str) -> None:
    """Of any key of any provider: mounted secrets end in a line feed, copied ones bring more."""
    settings = open_account(name, "http://127.0.0.1:1").settings
    section = settings_of(name)
    plain = section.model_validate({key: given(value.strip()) for key, value in settings.items()})
    padded = section.model_validate({key: given(around.format(value.strip())) for key, value in settings.items()})
    assert padded == plain
    for key in settings:
        found, expected = getattr(padded, key), getattr(plain, key)
        if isinstance(found, SecretStr):
            assert found.get_secret_value() == expected.get_secret_value()


def test_two_while_one_is_replaced() -> None:
    """One or a list of two, each stripped; the first is the one that acts."""
    assert values_of(Account.model_validate({"secret": given("a\n")}).secret) == ("a",)
    assert values_of(Account.model_validate({"secret": [given("b "), given("\na")]}).secret) == ("b", "a")
    assert values_of(Account.model_validate({"name": ["b", " a"]}).name) == ("b", "a")
    assert values_of(None) == ()
    fields = Account.model_fields
    assert [may_be_two(fields[key].annotation) for key in ("secret", "name", "acting")] == [True, True, False]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"secret": "written"}, "is a secret written into a file"),
        ({"secret": [given("a"), "written"]}, "is a secret written into a file"),
        ({"secret": []}, "at least 1"),
        ({"secret": [given("a")] * 3}, "at most 2"),
        ({"secret": given(" \n")}, "is empty"),
        ({"secret": [given("a"), given("\ufeff")]}, "is empty"),
        ({"name": " "}, "is empty"),
        ({"acting": [given("a"), given("b")]}, "takes one secret alone"),
    ],
)
def test_what_is_refused(values: object, says: str) -> None:
    """With the reason, and without the secret."""
    with pytest.raises(ValidationError, match=says):
        Account.model_validate(values)


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        TRADITIONAL,
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", " "),
        PEM.replace("\n", ""),
        f'"{PEM}"',
        f"comment\n{PEM}",
        TRADITIONAL.replace("\n", " "),
    ],
)
def test_a_private_key_may_have_lost_its_line_ends(text: str) -> None:
    """Environments, forms and env files take them away, write them out, or put quotes around."""
    assert read_private_key(text).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "expected the text from"),
        (PEM[:200], "expected the text from"),
        (PEM[:60] + PEM[80:], "damaged"),
        (
            ec.generate_private_key(ec.SECP256R1())
            .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            .decode(),
            "no RSA key",
        ),
        (
            KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")).decode(),
            "without a passphrase",
        ),
    ],
)
def test_a_private_key_that_cannot_be_used(text: str, says: str) -> None:
    """It is told when the configuration is read, not when the first call is to be hung up."""
    with pytest.raises(ValueError, match=says):
        read_private_key(text)
    with pytest.raises(ValidationError, match="is not an RSA private key in PEM"):
        settings_of("vonage").model_validate({"private_key": given(text)})


@pytest.mark.parametrize("wrong", ["x", "QUJD", "é", "===="])
@pytest.mark.parametrize(
    ("provider", "key", "says"),
    [
        ("telnyx", "public_key", "is not a public key"),
        ("genesys", "client_secret", "is not base64"),
        ("acs", "access_key", "is not base64"),
    ],
)
def test_a_key_in_a_format_of_its_own(provider: str, key: str, says: str, wrong: str) -> None:
    """A broken one is an error of the configuration, in a list as well; line breaks in base64 are none."""
    section = settings_of(provider)
    if wrong == "QUJD" and key != "public_key":
        return  # it is base64
    with pytest.raises(ValidationError, match=says):
        section.model_validate({key: given(wrong)})
    if key != "access_key":
        with pytest.raises(ValidationError, match=says):
            section.model_validate({key: [given(base64.b64encode(bytes(32)).decode()), given(wrong)]})


def test_base64_may_be_broken_into_lines() -> None:
    """As some tools print it."""
    text = base64.b64encode(bytes(range(32))).decode()
    assert read_public_key(f"{text[:20]}\n{text[20:]}").public_bytes_raw() == bytes(range(32))


def test_a_webhook_secret_that_says_it_is_base64() -> None:
    """The tool's request could not be signed: it is told before the first call."""
    for right in ("whsec_YQ==", "whsec_YQ", "any text"):
        HttpRequest.model_validate({"url": "https://a.b", "secret": given(right)})
    with pytest.raises(ValidationError, match="begins with whsec_ and is not base64"):
        HttpRequest.model_validate({"url": "https://a.b", "secret": given("whsec_!")})


def test_every_secret_of_a_configuration_is_found(tmp_path: Path) -> None:
    """Of accounts, two while one is replaced, of the gateway itself and of tools; names and addresses are none."""
    (tmp_path / "lines").mkdir()
    file = tmp_path / "gateway.yaml"
    file.write_text(
        "voice_live: {endpoint: 'https://v.example.com', key: '${A}'}\nstreams: {key: '${B}'}\n"
        "providers:\n  twilio: {account_sid: '${SID}', auth_token: ['${C}', '${D}']}\n",
        "utf-8",
    )
    (tmp_path / "lines" / "a.yaml").write_text(
        "numbers: ['*']\ninstructions: Answer.\nmodel: gpt-4.1\ntools:\n"
        "  - {name: s, description: d, http: {url: 'https://a.example.com/', secret: '${E}'}}\n"
        "  - {mcp: {server_label: c, server_url: 'https://a.example.com/', authorization: '${F}',"
        " require_approval: never}}\n",
        "utf-8",
    )
    environ = {name: f"{name.lower()}-0123456789-0123456789-012345" for name in "ABCDEF"}
    deployment = load_deployment(file, {**environ, "SID": "AC" + "0" * 32})
    settings = [line.settings for line in Lines(deployment)]
    assert set(secrets_within([deployment, *settings])) == set(environ.values())
