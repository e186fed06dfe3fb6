"""The origins of settings."""

from pathlib import Path

from gateway.config import load_deployment
from gateway.config.telling.origins import Origin, origins


def told(tmp_path: Path, text: str, environ: dict[str, str], *section: str) -> dict[str, tuple[str, str, bool]]:
    """Value, origin and whether it is set, of each setting of a section."""
    file = tmp_path / "gateway.yaml"
    file.write_text(text)
    found = origins(load_deployment(file, environ), section)
    return {one.key: (one.value, one.origin.replace(str(file), "FILE"), one.is_set) for one in found}


def test_the_file_the_environment_and_the_default(tmp_path: Path) -> None:
    """A reference in the file names both."""
    environ = {"WHERE": "https://a.services.ai.azure.com", "AZURE_VOICE_LIVE_API_KEY": "planted-secret"}
    found = told(tmp_path, "voice_live:\n  endpoint: ${WHERE}\n  model: gpt-4.1\n", environ, "voice_live")
    assert found["voice_live.endpoint"] == (environ["WHERE"], "FILE:2, from environment, WHERE", True)
    assert found["voice_live.model"] == ("gpt-4.1", "FILE:3", True)
    assert found["voice_live.key"] == ("set", "environment, AZURE_VOICE_LIVE_API_KEY", True)
    assert found["voice_live.connect_timeout_s"] == ("10", "default", False)


def test_the_first_variable_that_is_set(tmp_path: Path) -> None:
    """A blank one is none."""
    environ = {"AZURE_COGNITIVE_SERVICES_ENDPOINT": " ", "AZURE_VOICELIVE_ENDPOINT": "https://b.services.ai.azure.com"}
    found = told(tmp_path, "", environ, "voice_live")
    assert found["voice_live.endpoint"][1] == "environment, AZURE_VOICELIVE_ENDPOINT"


def test_an_account(tmp_path: Path) -> None:
    """By its name, its variables as well; two secrets are as little shown as one."""
    environ = {"TWILIO_EU_AUTH_TOKEN": "planted-new", "TWILIO_EU_AUTH_TOKEN_OLD": "planted-old"}
    text = "providers:\n  twilio-eu: {provider: twilio, account_sid: AC1}\n"
    found = told(tmp_path, text, environ, "providers", "twilio-eu")
    assert found["providers.twilio-eu.account_sid"] == ("AC1", "FILE:2", True)
    assert found["providers.twilio-eu.auth_token"] == ("set", "environment, TWILIO_EU_AUTH_TOKEN", True)
    assert found["providers.twilio-eu.stream_secret"] == ("not set", "default", False)


def test_one_setting(tmp_path: Path) -> None:
    """A path may lead to a single key."""
    file = tmp_path / "gateway.yaml"
    file.write_text("public_url: https://gw.example.com\n")
    found = origins(load_deployment(file, {}), ("public_url",))
    assert found == [Origin("public_url", "https://gw.example.com", f"{file}:1", is_set=True)]
