"""Credentials where they do not belong."""

from pathlib import Path

import pytest

from gateway.config.checks.leaks import IN_A_FILE
from gateway.config.line_file import LineFile
from tests.e2e.rig import LINE, configuration

HEX = "0123456789abcdef" * 2
CASK = "A" * 52 + "JQQJ99" + "BEACYeBjFXJ3w3AAABACOG" + "abcd"
TOOL = "tools:\n  - name: status\n    description: Looks up.\n    http: {{url: '{url}', headers: {{{headers}}}}}\n"
ENVIRON = {"CRM_TOKEN": "t0ken-of-the-crm", "AZURE_COGNITIVE_SERVICES_KEY": HEX, "COMPANY": "Contoso and Sons"}


def told(folder: Path, keys: str, text: str = LINE) -> list[tuple[str, str]]:
    """The key and the message of each mistake of a line."""
    file = configuration(folder, {"support": text + keys}).parent / "lines" / "support.yaml"
    return [(error.key, error.message.partition(": ")[2]) for error in LineFile(file, "gpt-4.1", ENVIRON).errors]


@pytest.mark.parametrize(
    ("header", "is_leak"),
    [
        ("Authorization: 'Bearer abc'", True),
        ("X-Api-Key: 9f8e7d6c5b4a", True),
        ("api-key: 9f8e7d6c5b4a", True),
        ("Ocp-Apim-Subscription-Key: 9f8e7d6c5b4a", True),
        ("X-Auth-Token: 9f8e7d6c5b4a", True),
        ("Cookie: session=9f8e7d6c5b4a", True),
        ("X-Secret: 9f8e7d6c5b4a", True),
        ("AccessKey: 9f8e7d6c5b4a", True),
        ("X-Session: 9f8e7d6c5b4a", True),
        ("X-Session-Id: 9f8e7d6c5b4a", True),
        ("X-Api-Key: abc123", True),
        ("X-Auth-Token: a", True),
        ("X-Forwarded-Proof: 'Bearer 9f8e7d6c5b4a'", True),
        ("X-Upstream: 'Basic Ym9iOmJvYg=='", True),
        ("Authorization: 'Bearer ${CRM_TOKEN}'", False),
        ("X-Api-Key: '${CRM_TOKEN}'", False),
        ("X-Tenant: contoso-europe", False),
        ("X-Note: 'basic questions'", False),
        ("X-Request-Id: production-2", False),
        ("X-Max-Token: 100", False),
        ("X-Plan: 'Basic 2024-01'", False),
        ("X-Key-Id: production-2", False),
        ("Accept-Language: en-US", False),
    ],
)
def test_a_key_in_a_header_comes_from_the_environment(tmp_path: Path, header: str, is_leak: bool) -> None:
    """Of a tool over HTTP and of an MCP server alike."""
    name = header.partition(":")[0]
    over_http = told(tmp_path / "1", TOOL.format(url="https://shop.example.com/", headers=header))
    server = "server_label: crm, server_url: 'https://c.example', require_approval: never"
    mcp = f"tools:\n  - mcp: {{{server}, headers: {{{header}}}}}\n"
    by_mcp = told(tmp_path / "2", mcp)
    assert over_http == ([(f"tools[0].http.headers.{name}", IN_A_FILE)] if is_leak else [])
    assert by_mcp == ([(f"tools[0].mcp.headers.{name}", IN_A_FILE)] if is_leak else [])


@pytest.mark.parametrize(
    ("url", "is_leak"),
    [
        ("https://shop.example.com/o?code=9f8e7d6c5b4a", True),
        ("https://shop.example.com/o?api_key=9f8e7d6c5b4a", True),
        ("https://shop.example.com/o?a=1&access_token=9f8e7d6c5b4a", True),
        ("https://shop.example.com/o?sig=9f8e7d6c5b4a", True),
        ("https://shop.example.com/o?code=${CRM_TOKEN}", False),
        ("https://shop.example.com/o?language=en-US-standard", False),
        ("https://shop.example.com/o?page_token=2", False),
    ],
)
def test_a_key_in_an_address_comes_from_the_environment(tmp_path: Path, url: str, is_leak: bool) -> None:
    """Addresses with a key in their query are what function hosts show for copying."""
    found = told(tmp_path, TOOL.format(url=url, headers=""))
    assert found == ([("tools[0].http.url", IN_A_FILE)] if is_leak else [])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (HEX[::-1], "an Azure key"),
        (CASK, "an Azure key"),
        ("sk-proj-0123456789abcdefghij", "an OpenAI key"),
        ("AKIA0123456789ABCDEF", "an AWS key"),
        ("ASIA0123456789ABCDEF", "an AWS key"),
        ("GOCSPX-" + "a1B2" * 7, "a Google key"),
        ("ya29." + "a1B2" * 7, "a Google key"),
        ("SK" + HEX[::-1], "a Twilio key"),
        ("KEY" + HEX[::-1].upper() + "_" + "a1B2" * 5, "a Telnyx key"),
        ("sk_live_" + "a1B2" * 6, "a Stripe key"),
        ("rk_test_" + "a1B2" * 6, "a Stripe key"),
        ("SG." + "a1B2" * 5 + "." + "a1B2" * 10, "a SendGrid key"),
        ("glpat-" + "a1B2" * 5, "a GitLab token"),
        ("npm_" + "a1B2" * 9, "an npm token"),
        ("xapp-1-A0123-456-abcdef", "a Slack token"),
        ("https://hooks.slack.com/services/T0001/B0001/" + "a1B2" * 6, "a Slack webhook"),
        ("https://store.example/c?sv=1&sig=" + "a1B2" * 10 + "%3D", "a signed address"),
        ("Authorization: Bearer " + "a1B2" * 6, "a bearer token"),
        ("ghp_" + "a1B2" * 9, "a GitHub token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "a JSON Web Token"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("endpoint=https://a.example;accesskey=" + "Ab1/" * 12, "a connection string"),
    ],
)
def test_what_looks_like_a_key_stands_in_no_text(tmp_path: Path, text: str, kind: str) -> None:
    """Neither in instructions, which the service gets, nor in a text that callers hear."""
    message = f"holds what looks like {kind}, expected none in a file"
    assert told(tmp_path / "1", "", LINE.replace("Answer the phone.", f"'Use {text}.'")) == [("instructions", message)]
    assert told(tmp_path / "2", f"variables: {{key: '{text}'}}\n") == [("variables.key", message)]


@pytest.mark.parametrize("scheme", ["sip:", "sips:", "https://", "postgres://"])
def test_no_text_holds_an_address_with_a_password(tmp_path: Path, scheme: str) -> None:
    """Whatever the address is for; a port is no password."""
    message = "holds a password in an address, expected none in a file"
    variables = "variables: {{place: '{}'}}\n"
    found = told(tmp_path / "1", variables.format(f"{scheme}bob:hunter2@pbx.example"))
    assert found == [("variables.place", message)]
    assert told(tmp_path / "2", variables.format(f"{scheme}pbx.example:5060")) == []


def test_a_secret_of_the_environment_is_in_no_text(tmp_path: Path) -> None:
    """The model would get it, and could say it; what is no secret may be taken from there."""
    message = "holds a secret of the environment, which the model and callers would get, expected it in no text"
    keys = "variables: {company: '${COMPANY}', crm: '${CRM_TOKEN}'}\n"
    text = LINE.replace("Answer the phone.", "'Your key is ${AZURE_COGNITIVE_SERVICES_KEY}.'")
    assert told(tmp_path, keys, text) == [("instructions", message), ("variables.crm", message)]


def test_a_file_of_instructions_is_read_too(tmp_path: Path) -> None:
    """It is as much a text as one in the line."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "words.md").write_text(f"Use the key {HEX}.", "utf-8")
    text = LINE.replace("instructions: Answer the phone.", "instructions_file: words.md")
    ((key, message),) = told(tmp_path, "", text)
    assert key == "instructions_file"
    assert "holds a secret of the environment" in message


@pytest.mark.parametrize(
    "text",
    [
        "Order 1234567890123456 is at the depot.",
        "AC" + HEX[::-1],
        "Deployed as 3f2504e0-4f89-11d3-9a0c-0305e82c3301.",
        "Say sk- and nothing more.",
        "The bearer certificateholders-association is closed.",
        "Send mail to bob@example.com or call sip:desk@example.com:5060.",
    ],
)
def test_ordinary_texts_are_let_be(tmp_path: Path, text: str) -> None:
    """Numbers, ids and words are no keys."""
    assert told(tmp_path, "", LINE.replace("Answer the phone.", f"'{text}'")) == []
