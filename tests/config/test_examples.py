"""The files in config/ are the manual: they must be right and complete."""

import re
from itertools import chain
from pathlib import Path

import pytest

from gateway.config import Lines, load_deployment
from gateway.config.deployment import Deployment
from gateway.config.environment import API_VERSION, ENDPOINT, KEY, MODEL, PUBLIC_URL, STREAM_KEY
from gateway.config.hearing import AzureSemanticVad, EndOfUtterance, Transcription
from gateway.config.line import Afterwards, LineLimits, Settings, Silence, StaticInterim
from gateway.config.providers import environment_names
from gateway.config.schema import schemas

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"


def keys(text: str) -> list[str]:
    """The keys that a file writes or shows in a comment."""
    return re.findall(r"^\s*(?:# +)?([a-z_]+):(?:\s|$)", text, re.MULTILINE)


def test_the_shipped_configuration_loads_from_an_empty_environment() -> None:
    """A fresh clone needs no account to be checked and to run with the emulator."""
    lines = Lines(load_deployment(CONFIG / "gateway.yaml", {}))
    assert {line.name: line.settings.numbers for line in lines} == {
        "bibliothek": ("+493023125000",),
        "restaurant": ("+14255550101",),
        "support": ("+14255550100",),
    }


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("support", "Thank you for calling Contoso. How can I help?"),
        ("restaurant", "Good evening, this is the Fork and Lantern. Would you like to book a table?"),
        ("bibliothek", "Guten Tag, Sie sind mit der Stadtbücherei verbunden. Was kann ich für Sie tun?"),
    ],
)
def test_each_example_greets(name: str, greeting: str) -> None:
    """The recorded prompts of the demo say these words."""
    line = Lines(load_deployment(CONFIG / "gateway.yaml", {})).by_name(name)
    assert line
    assert line.settings.greeting
    assert line.settings.greeting.say == greeting


def test_the_support_line_shows_every_key_once() -> None:
    """It is the manual of a line."""
    text = (CONFIG / "lines" / "support.yaml").read_text()
    shown = keys(text)
    at_the_margin = re.findall(r"^(?:# )?([a-z_]+):(?:\s|$)", text, re.MULTILINE)
    assert sorted(name for name in at_the_margin if name in Settings.model_fields) == sorted(Settings.model_fields)
    sections = (AzureSemanticVad, EndOfUtterance, Transcription, Silence, Afterwards, LineLimits, StaticInterim)
    missing = {key for section in sections for key in section.model_fields} - set(shown)
    assert missing == set()


def test_the_shipped_gateway_yaml_shows_every_key() -> None:
    """It is the manual of a deployment."""
    shown = set(keys((CONFIG / "gateway.yaml").read_text()))

    def names(section: object) -> set[str]:
        fields = getattr(section, "model_fields", {})
        below = [getattr(field.default, "__class__", None) for field in fields.values()]
        return set(fields).union(*(names(kind) for kind in below))

    assert names(Deployment) - shown == set()


def test_the_example_environment_names_what_is_read() -> None:
    """A name in .env.example that nobody reads would mislead."""
    shown = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = {*ENDPOINT, *KEY, *MODEL, *API_VERSION, *PUBLIC_URL, *STREAM_KEY, *chain(*environment_names().values())}
    assert shown - read == {"AZURE_TOKEN_CREDENTIALS"}


def test_the_documentation_names_every_key_and_variable() -> None:
    """docs/configuration.md has all of both files and of the environment."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`]+)`", text))))
    wanted = {*ENDPOINT, *KEY, *MODEL, *API_VERSION, *PUBLIC_URL}
    for schema in schemas().values():
        for section in (schema, *schema["$defs"].values()):
            wanted |= set(section.get("properties", {}))
    assert wanted - named - {"channels", "reference_source"} == set()
