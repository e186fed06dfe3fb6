"""What a line asks and a provider cannot do."""

from pathlib import Path

import pytest

from gateway.cli.checking.capabilities import capability_warnings
from gateway.config import Lines, load_deployment
from gateway.config.providers import settings_of
from gateway.config.reading.environment import variable_of
from gateway.phone.providers import PROVIDERS
from gateway.sim.providers import open_account

LINE = 'numbers: ["*"]\ninstructions: Answer.\nmodel: gpt-4.1\n'
ACCOUNTS = {
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "t",
    "ACS_ENDPOINT": "https://a.b",
    "ACS_ACCESS_KEY": "a2V5",
}


def told(folder: Path, provider: str, line: str, *, model: str = "gpt-4.1", **environ: str) -> list[str]:
    """The warnings for one line at one provider."""
    (folder / "lines").mkdir()
    (folder / "lines" / "support.yaml").write_text(LINE.replace("gpt-4.1", model) + line)
    (folder / "gateway.yaml").write_text(f"providers: {{{provider}: {{}}}}\n")
    deployment = load_deployment(folder / "gateway.yaml", ACCOUNTS | environ)
    return capability_warnings(deployment, Lines(deployment))


RESCUED = 'on_failure: {transfer: "+14255550199"}\n'
DESK = 'transfers: {desk: "+14255550199"}\n'
SIP_DESK = "transfers: {desk: sips:desk@example.com}\n"
HOURS = 'timezone: UTC\nhours: {open: {mon: "09:00-17:00"}, closed: {say: Closed., transfer: desk}}\n'


@pytest.mark.parametrize(
    ("provider", "line", "expected"),
    [
        ("twilio", "tools: [send_digits]", "tools: send_digits: Twilio dials no digits"),
        ("jambonz", "tools: [send_digits]", "tools: send_digits: jambonz dials no digits"),
        (
            "asterisk",
            DESK + "tools: [transfer_call]",
            "tools: transfer_call: Asterisk transfers no calls while they are here",
        ),
        (
            "exotel",
            DESK + 'on_key: {"0": {transfer: desk}}',
            "on_key.0: Exotel transfers no calls while they are here",
        ),
        ("exotel", DESK + HOURS, "hours.closed.transfer: Exotel transfers no calls while they are here"),
        (
            "acs",
            SIP_DESK + "tools: [transfer_call]",
            "tools: transfer_call: Azure Communication Services transfers to numbers alone, "
            "found sips:desk@example.com",
        ),
        (
            "acs",
            SIP_DESK + "after: {transfer: desk}",
            "after.transfer: Azure Communication Services transfers to numbers alone, found sips:desk@example.com",
        ),
        ("acs", "after: {say: Goodbye.}", "after.say: Azure Communication Services does not say it"),
        ("genesys", "after: {say: Goodbye.}", "after.say: Genesys Cloud does not say it"),
        ("asterisk", 'after: {transfer: "+14255550199"}', "after.transfer: Asterisk does not do it"),
        ("bandwidth", "digits: {}", "digits: Bandwidth does not report the keys that the caller presses"),
        (
            "bandwidth",
            'on_key: {"0": {say: Hello.}}',
            "on_key.0: Bandwidth does not report the keys that the caller presses",
        ),
        (
            "bandwidth",
            'turn_detection: none\ncommit_on: "#"',
            "commit_on: Bandwidth does not report the keys that the caller presses",
        ),
    ],
)
def test_what_a_provider_cannot_do_is_told(tmp_path: Path, provider: str, line: str, expected: str) -> None:
    """By the provider's own declaration."""
    assert f"support: {expected}" in told(tmp_path, provider, line)


@pytest.mark.parametrize(
    ("provider", "line"),
    [
        ("twilio", DESK + "tools: [transfer_call]\nafter: {say: Goodbye., transfer: desk}\ndigits: {}"),
        ("signalwire", "tools: [send_digits]"),
        ("acs", DESK + "tools: [transfer_call, send_digits]\nafter: {transfer: desk}"),
        ("genesys", "digits: {}\ntools: [end_call]"),
    ],
)
def test_what_it_can_is_no_warning(tmp_path: Path, provider: str, line: str) -> None:
    """Nothing is said of it."""
    rescue = {"acs": RESCUED, "genesys": ""}.get(provider, "on_failure: {say: Sorry.}")
    assert told(tmp_path, provider, f"{line}\n{rescue}") == []


NEITHER = (
    "support: neither on_failure nor after is set: when the bot cannot go on, its caller is hung up on without a word"
)


@pytest.mark.parametrize(
    ("provider", "line", "expected"),
    [
        ("twilio", "", [NEITHER]),
        (
            "plivo",
            'after: {transfer: "+14255550199"}',
            ["support: on_failure is not set: after does not follow a call that fails, and its caller is hung up on"],
        ),
        ("twilio", "on_failure: {say: Sorry.}", []),
        ("asterisk", "", []),
    ],
)
def test_a_line_that_rescues_nobody_is_told(tmp_path: Path, provider: str, line: str, expected: list[str]) -> None:
    """Where its provider could do something for the caller of a failed call."""
    found = told(tmp_path, provider, line, PLIVO_AUTH_ID="MA1", PLIVO_AUTH_TOKEN="t")
    assert found == expected


def test_a_rest_api_without_its_keys_does_nothing(tmp_path: Path) -> None:
    """It is told once, for the account, and names the keys that are missing."""
    missing = "providers.vonage: application_id and private_key are not set, so that calls cannot be"
    assert told(tmp_path, "vonage", DESK + RESCUED) == [f"{missing} ended from here", f"{missing} transferred"]


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if settings_of(name).rest])
def test_each_key_of_a_rest_api_is_named_where_it_is_missing(tmp_path: Path, provider: str) -> None:
    """With all of them nothing is told; without any one of them that one is."""
    file = tmp_path / "gateway.yaml"
    file.write_text(f"providers: {{{provider}: {{}}}}\n")
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "support.yaml").write_text(LINE + DESK + RESCUED)
    account = open_account(provider, "http://127.0.0.1:1", "key")
    environ = {variable_of(provider, key): str(value) for key, value in account.settings.items()}
    for key in ("", *settings_of(provider).rest):
        left = {name: value for name, value in environ.items() if name != variable_of(provider, key)}
        deployment = load_deployment(file, left)
        found = [each for each in capability_warnings(deployment, Lines(deployment)) if "not set, so" in each]
        assert bool(found) == bool(key)
        assert all(
            each.startswith(f"providers.{provider}: {key} is not set, so that calls cannot be") for each in found
        )


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (
            "vonage",
            [
                "support: voice: marin comes at 24 kHz and is converted for Vonage's l16/16000; "
                "providers.vonage.rate_hz: 24000 needs none"
            ],
        ),
        (
            "jambonz",
            [
                "support: voice: marin comes at 24 kHz and is converted for jambonz's l16/8000; "
                "providers.jambonz.rate_hz: 24000 needs none"
            ],
        ),
        ("exotel", ["support: voice: marin comes at 24 kHz and is converted for Exotel's l16/8000"]),
        ("acs", []),
        ("twilio", []),
    ],
)
def test_a_voice_that_is_converted_is_told(tmp_path: Path, provider: str, expected: list[str]) -> None:
    """OpenAI voices have G.711 and 24 kHz alone; Azure voices have every format."""
    warnings = told(tmp_path, provider, "voice: marin\n" + RESCUED, model="gpt-realtime")
    assert [warning for warning in warnings if "voice" in warning] == expected


@pytest.mark.parametrize("provider", ["vonage", "jambonz", "exotel"])
def test_a_voice_of_azure_is_not_converted(tmp_path: Path, provider: str) -> None:
    """Nor is one on a stream of 24 kHz."""
    assert not [warning for warning in told(tmp_path, provider, RESCUED) if "voice" in warning]


@pytest.mark.parametrize(
    ("provider", "length", "is_told"),
    [("twilio", 100, False), ("twilio", 200, True), ("telnyx", 200, True), ("asterisk", 200, False)],
)
def test_an_address_of_streams_that_may_be_too_long_is_told(
    tmp_path: Path, provider: str, length: int, is_told: bool
) -> None:
    """Some providers cut it; where no answer of ours names it, it has no token."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "support.yaml").write_text(LINE + RESCUED)
    host = "h" * 50 + "." + "example.com"
    url = f"https://{host}/{'p' * (length - len(host) - 9)}"
    assert len(url) == length
    (tmp_path / "gateway.yaml").write_text(f"public_url: {url}\nproviders: {{{provider}: {{}}}}\n")
    deployment = load_deployment(tmp_path / "gateway.yaml", ACCOUNTS)
    found = [each for each in capability_warnings(deployment, Lines(deployment)) if "characters" in each]
    assert len(found) == is_told
    for each in found:
        assert each.startswith("support: the address of its streams at ")
        assert "take no more than 500: shorten public_url" in each
