"""Which secret is not what was meant."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config.checks.deployment_warnings import warnings
from gateway.config.providers import settings_of, variables_of
from tests.e2e.rig import LINE, configuration, load

TOOL = """tools:
  - name: order_status
    description: Says where an order is.
    http:
      url: https://shop.example.com/orders
      secret: ${SIGNING}
      headers: {Authorization: "Bearer ${TOKEN}", X-Key: "${TOKEN}"}
  - mcp: {server_label: crm, server_url: https://crm.example.com, authorization: "${TOKEN}", require_approval: never}
"""


def told(folder: Path, environ: Mapping[str, str], providers: str = "{twilio: {}}", line: str = LINE) -> list[str]:
    """The warnings about a gateway with this environment."""
    text = f"public_url: https://h\nproviders: {providers}\nlines: lines/*.yaml\n"
    return warnings(*load(configuration(folder, {"support": line}, text), environ))


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'", "“{}”", '"{}"\n'])
def test_quotes_around_a_secret_are_told(tmp_path: Path, quoted: str) -> None:
    """An env file that keeps them makes them a part of it, and every webhook is refused."""
    found = told(tmp_path, {"TWILIO_AUTH_TOKEN": quoted.format("t0ken"), "TWILIO_ACCOUNT_SID": quoted.format("AC1")})
    for key in ("auth_token", "account_sid"):
        assert (
            f"providers.twilio.{key}: has quotes around it, which count as a part of it: expected the value alone"
            in (found)
        )
    assert "t0ken" not in str(found)


@pytest.mark.parametrize("inside", ["a b", "a\tb", "a\nb", "a,\nb", "a\u200bb", "a\ufeffb"])
def test_white_space_inside_a_secret_is_told(tmp_path: Path, inside: str) -> None:
    """Two values in one variable, or one that was copied with a line break."""
    assert "providers.twilio.auth_token: has white space or an invisible sign inside, expected one word" in told(
        tmp_path, {"TWILIO_AUTH_TOKEN": inside}
    )


@pytest.mark.parametrize("end", ["\\n", "\\r\\n"])
def test_a_line_end_that_is_written_out_is_told(tmp_path: Path, end: str) -> None:
    """A template that wrote it as two characters made them a part of the secret."""
    found = told(tmp_path, {"TWILIO_AUTH_TOKEN": f"t0ken{end}"})
    says = "written out, which counts as a part of it: expected the value alone"
    assert f"providers.twilio.auth_token: ends in \\n, {says}" in found


def test_of_two_secrets_the_one_is_told_that_is_not_meant(tmp_path: Path) -> None:
    """By its place in the list, new before old."""
    found = told(tmp_path, {"TWILIO_AUTH_TOKEN": "new", "TWILIO_AUTH_TOKEN_OLD": "'old'"})
    about = [warning for warning in found if "auth_token" in warning and "quotes" in warning]
    assert about == [
        "providers.twilio.auth_token[1]: has quotes around it, which count as a part of it: expected the value alone"
    ]


def test_a_plain_secret_is_not_remarked_upon(tmp_path: Path) -> None:
    """White space around it does not count, and a quote within may be meant."""
    found = told(
        tmp_path, {"TWILIO_AUTH_TOKEN": " t0'ken\"\r\n", "GATEWAY_STREAM_KEY": "k", "TWILIO_ACCOUNT_SID": "AC"}
    )
    assert not [warning for warning in found if "inside" in warning or "quotes" in warning]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (name, key)
        for name in ("twilio", "signalwire", "cloudonix", "plivo", "vonage", "bandwidth", "jambonz", "exotel")
        for key in variables_of(name, name)
        if not key.endswith("_url") and key != "private_key"
    ],
)
def test_each_key_of_a_provider_is_looked_at(tmp_path: Path, name: str, key: str) -> None:
    """Secrets, user names and ids alike, and of an account under its own name."""
    environ = {variables_of("pbx", name)[key]: '"x y"'}
    found = told(tmp_path, environ, f"{{pbx: {{provider: {name}}}}}")
    assert sum(warning.startswith(f"providers.pbx.{key}: has ") for warning in found) == 2
    assert key in settings_of(name).model_fields


def test_the_gateway_s_own_keys_and_the_tools_are_looked_at(tmp_path: Path) -> None:
    """Stream key, Voice Live key, a tool's secret, its headers, the authorization of an MCP server."""
    environ = dict.fromkeys(("GATEWAY_STREAM_KEY", "AZURE_COGNITIVE_SERVICES_KEY", "SIGNING", "TOKEN"), '"k"')
    found = told(tmp_path, environ, line=LINE + TOOL)
    keys = [warning.partition(": has quotes")[0] for warning in found if "has quotes" in warning]
    assert keys == [
        "support: tools[0].http.secret",
        "support: tools[0].http.headers.Authorization",
        "support: tools[0].http.headers.X-Key",
        "support: tools[1].mcp.authorization",
        "streams.key",
        "voice_live.key",
    ]


def test_an_old_value_that_does_not_count_is_told(tmp_path: Path) -> None:
    """It stands alone, or beside a key that takes one value."""
    found = told(tmp_path, {"TWILIO_AUTH_TOKEN_OLD": "a", "TWILIO_ACCOUNT_SID_OLD": "b"})
    assert "TWILIO_AUTH_TOKEN_OLD: is not used: TWILIO_AUTH_TOKEN is not set, or the file has the key" in found
    assert "TWILIO_ACCOUNT_SID_OLD: is not used: account_sid takes one value alone" in found
    used = told(tmp_path, {"TWILIO_AUTH_TOKEN_OLD": "a", "TWILIO_AUTH_TOKEN": "b"})
    assert not [warning for warning in used if "is not used" in warning]
