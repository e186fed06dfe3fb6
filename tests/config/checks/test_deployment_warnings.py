"""What of a deployment is allowed but may not be meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import load_deployment
from gateway.config.checks.deployment_warnings import warnings
from gateway.config.line_file import LineFile
from tests.e2e.rig import GATEWAY, LINE, configuration, load

ReadLine = Callable[..., LineFile]
ANY = 'numbers: ["*"]\ninstructions: Answer.\nmodel: gpt-4.1\n'


def told(read_line: ReadLine, tmp_path: Path, gateway: str, base: str = ANY) -> list[str]:
    """The warnings of a deployment that lacks nothing but what is given."""
    file = tmp_path / "gateway.yaml"
    file.write_text(gateway)
    environ = {"AZURE_VOICELIVE_ENDPOINT": "https://a.example", "TWILIO_AUTH_TOKEN": "token"}
    line = read_line("", base=base).line
    assert line
    return warnings(load_deployment(file, environ), [line])


TWILIO = "providers: {twilio: {}}\n"
DE = "providers: {twilio: {region: DE}}\n"


@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        (
            f"{TWILIO}public_url: https://voice.example.com\nconsole: {{key: '${{TWILIO_AUTH_TOKEN}}'}}\n",
            "console.key: no console sees the calls by it, expected listen.private, where they are shown",
        ),
        (
            f"{TWILIO}public_url: https://voice.example.com/phone/\n",
            "public_url: has the path /phone, which the proxy in front must take away: /phone/answer/… has to arrive "
            "here as /answer/…",
        ),
        (
            f"{TWILIO}public_url: http://voice.example.com\n",
            "public_url: is not encrypted, expected https://: providers open streams by wss:// alone",
        ),
        (
            f"{TWILIO}public_url: https://0.0.0.0:8443\n",
            "public_url: nobody reaches 0.0.0.0, expected the host name under which others see this machine",
        ),
        (
            f"{TWILIO}public_url: https://b.example\nvoice_live: {{endpoint: https://a.example/openai/realtime}}\n",
            "voice_live.endpoint: has the path /openai/realtime, expected the resource's address without one",
        ),
        (
            f"{TWILIO}public_url: https://b.example\nvoice_live: {{model: gpt4.1}}\n",
            "voice_live.model: model gpt4.1 is not among those documented, did you mean gpt-4.1? It is taken for a "
            "text model",
        ),
        (
            f"{TWILIO}public_url: https://b.example\nvoice_live: {{api_version: '2026-06-01-preview'}}\n",
            "voice_live.api_version: 2026-06-01-preview is older than 2026-07-15, which the gateway is made for",
        ),
        (
            f"{TWILIO}public_url: https://b.example\nvoice_live: {{api_version: '2026-01-01-preview'}}\n",
            "voice_live.api_version: 2026-01-01-preview is older than 2026-07-15, which the gateway is made for; it "
            "does not know include, metadata, "
            "parallel_tool_calls, pre_generated_assistant_message of a "
            "response, which are not sent",
        ),
        (
            f"{TWILIO}public_url: https://b.example\nvoice_live: {{api_version: '2027-01-01'}}\n",
            "voice_live.api_version: 2027-01-01 is newer than 2026-07-15, which the gateway is made for",
        ),
    ],
)
def test_what_may_not_be_meant_is_told(read_line: ReadLine, tmp_path: Path, gateway: str, expected: str) -> None:
    """One sentence, with the key and what was expected."""
    assert told(read_line, tmp_path, gateway) == [expected]


@pytest.mark.parametrize(
    "url", ["https://voice.example.com", "https://voice.example.com:8443/", "http://127.0.0.1:8080"]
)
def test_a_plain_address_is_no_warning(read_line: ReadLine, tmp_path: Path, url: str) -> None:
    """Nor is this machine's own."""
    assert told(read_line, tmp_path, f"{TWILIO}public_url: {url}\n") == []


def test_a_recording_needs_a_record(tmp_path: Path) -> None:
    """Without a row nobody could find it, or delete it in time."""
    line = LINE + "recording: {announce: This call is recorded.}\n"
    for records, count in (("", 0), ("records: false\n", 1)):
        deployment, lines = load(configuration(tmp_path, {"support": line}, GATEWAY + records))
        found = [warning for warning in warnings(deployment, lines) if "recording" in warning]
        expected = "support: recording: nothing is recorded, because records: false keeps no row to find it by"
        assert found == [expected] * count


def test_a_national_number_needs_a_region(read_line: ReadLine, tmp_path: Path) -> None:
    """The line's or the provider's; an extension needs none."""
    base = ANY.replace('"*"', '"*", "1001", "0301234567"')
    url = "public_url: https://b.example\n"
    assert told(read_line, tmp_path, TWILIO + url, base) == [
        "line: numbers[2]: 0301234567 has no country code, so that no other spelling of it is known: expected a region "
        "for the line or the provider"
    ]
    assert told(read_line, tmp_path, DE + url, base) == []
    assert told(read_line, tmp_path, TWILIO + url, f"region: DE\n{base}") == []


def test_agents_at_the_older_host(read_line: ReadLine, tmp_path: Path) -> None:
    """The service answers 400 there; a line of a model may use it."""
    gateway = f"{TWILIO}public_url: https://b.example\nvoice_live: {{endpoint: 'https://contoso.HOST'}}\n"
    old, new = "cognitiveservices.azure.com", "services.ai.azure.com"
    agent = 'numbers: ["*"]\nagent: {name: desk, project: contoso}\n'
    (warned,) = told(read_line, tmp_path, gateway.replace("HOST", old), agent)
    assert warned.startswith(f"voice_live.endpoint: contoso.{old} takes no agents, as ")
    assert warned.endswith(f"expected contoso.{new}")
    assert told(read_line, tmp_path, gateway.replace("HOST", new), agent) == []
    assert told(read_line, tmp_path, gateway.replace("HOST", old)) == []


def test_each_endpoint_is_looked_at_and_each_line_has_one(read_line: ReadLine, tmp_path: Path) -> None:
    """A model that no endpoint has, and one that is of another kind there."""
    text = """
voice_live:
  endpoints:
    - {endpoint: "http://west.example", models: {gpt-4.1: gpt-realtime}}
    - {endpoint: "https://east.example/path", models: [gpt-4.1-mini]}
providers: {}
"""
    found = told(read_line, tmp_path, text, ANY.replace("gpt-4.1", "gpt-realtime"))
    assert "voice_live.endpoints[0].endpoint: is not encrypted, which only an emulator may be" in found
    assert any(one.startswith("voice_live.endpoints[1].endpoint: has the path /path") for one in found)
    assert any("model: no entry of voice_live.endpoints has gpt-realtime" in one for one in found)
    assert "voice_live.endpoints[0].models.gpt-4.1: gpt-realtime takes other settings than gpt-4.1" in found
