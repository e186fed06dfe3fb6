"""The files in config/ are the manual: they must be right and complete."""

import re
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config import Lines, load_deployment
from gateway.config.deployment import Deployment
from gateway.config.line.agent import Agent
from gateway.config.line.greeting import Greeting
from gateway.config.line.hours import Closed, Hours
from gateway.config.line.keys import Digits, KeyAction
from gateway.config.line.line import Afterwards, LineLimits, Settings, Silence, StaticInterim
from gateway.config.line.parameters import Parameter, SecretParameter
from gateway.config.line.tools import (
    Approval,
    ApprovedTools,
    HttpRequest,
    HttpTool,
    McpServer,
    McpTool,
    PythonTool,
    WhileWaiting,
)
from gateway.config.line.transfers import Target
from gateway.config.line.turns import AzureSemanticVad, EndOfUtterance, Transcription
from gateway.config.line_file import LineFile
from gateway.config.providers import SECTIONS, environment_names
from gateway.config.reading.environment import (
    API_VERSION,
    DATA,
    ENDPOINT,
    KEY,
    MODEL,
    PUBLIC_URL,
    RECORDS_URL,
    STREAM_KEY,
)
from gateway.config.telling.schema import schemas

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"


def keys(text: str) -> list[str]:
    """The keys that a file writes or shows in a comment."""
    return re.findall(r"^\s*(?:# +)?(?:- )?([a-z_]+):(?:\s|$)", text, re.MULTILINE)


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
    shown = [*keys(text), *re.findall(r"[{,] ?([a-z_]+): ", text)]
    at_the_margin = re.findall(r"^(?:# )?([a-z_]+):(?:\s|$)", text, re.MULTILINE)
    assert sorted(name for name in at_the_margin if name in Settings.model_fields) == sorted(Settings.model_fields)
    of_the_line = (AzureSemanticVad, EndOfUtterance, Transcription, Silence, Afterwards, LineLimits, StaticInterim)
    of_tools = (HttpTool, HttpRequest, PythonTool, McpTool, McpServer, Approval, ApprovedTools, WhileWaiting)
    actions = (Parameter, SecretParameter, Agent, Greeting, Hours, Closed, Digits, KeyAction, Target)
    sections = (*of_the_line, *of_tools, *actions)
    missing = {key for section in sections for key in section.model_fields} - set(shown)
    assert missing == set()


def commented(text: str) -> dict[str, str]:
    """The examples of whole keys that stand in comments, by key and as they would be written."""
    found: dict[str, str] = {}
    for key, below in re.findall(r"^# {1,3}([a-z_]+):((?: .*)?\n(?:#   +.*\n)*)", text, re.MULTILINE):
        lines = [line.removeprefix("#") for line in below.splitlines()[1:]]
        found[key] = "\n".join([key + ":" + below.splitlines()[0], *lines])
    return found


def test_the_examples_of_the_manual_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody takes the # away from works: agent and instructions_file apart, which take others' place."""
    examples = commented((CONFIG / "lines" / "support.yaml").read_text())
    assert examples.keys() >= {"agent", "parameters", "hours", "greeting", "digits", "on_key", "transfers", "tools"}
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders.py").write_text("async def status(order: str) -> str:\n    return order\n")
    for name in ("welcome.wav", "closed.wav"):
        write_wav(tmp_path / name, np.zeros(800, np.int16), 8000)
    say = re.sub(r"^ +(prompt|play|text):.*\n", "", examples["greeting"], flags=re.MULTILINE)
    used = {**examples, "greeting": say}
    keys_used = ("parameters", "hours", "greeting", "digits", "on_key", "transfers", "tools", "after")
    text = "\n".join(["numbers: ['*']", "instructions: Answer.", *(used[key] for key in keys_used)])
    file = tmp_path / "line.yaml"
    file.write_text(text)
    read = LineFile(file, "gpt-4.1", {"SHOP_KEY": "k", "TOOL_SECRET": "s", "CRM_TOKEN": "t"})
    assert [str(error) for error in read.errors] == []
    file.write_text("numbers: ['*']\n" + examples["agent"])
    assert [str(error) for error in LineFile(file, "gpt-4.1", {}).errors] == []


def test_the_examples_of_the_documentation_are_right(tmp_path: Path) -> None:
    """Each piece of a line in docs/configuration.md, as it stands there, completes a line."""
    write_wav(tmp_path / "welcome.wav", np.zeros(800, np.int16), 8000)
    text = (ROOT / "docs" / "configuration.md").read_text()
    examples = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 11
    for example in examples:
        piece = f"tools:\n{example}" if example.startswith("  - ") else example
        if example.startswith("parameters:"):
            indented = example.replace("\n", "\n    ").rstrip()
            piece = f'tools:\n  - name: pay\n    description: Pays.\n    http: {{url: "https://a.b"}}\n    {indented}\n'
        if "numbers" not in piece:
            piece = f"numbers: ['*']\ninstructions: Answer.\n{piece}"
        if "transfer: desk" in piece:
            piece += 'transfers: {desk: "+14255550199"}\n'
        file = tmp_path / "line.yaml"
        file.write_text(piece)
        read = LineFile(file, "gpt-4.1", {"SHOP_KEY": "k", "CRM_TOKEN": "t"})
        assert [str(error) for error in read.errors] == []


def test_the_shipped_gateway_yaml_shows_every_key() -> None:
    """It is the manual of a deployment; a provider's section is on the provider's page."""
    shown = set(keys((CONFIG / "gateway.yaml").read_text()))

    def names(section: object) -> set[str]:
        fields = getattr(section, "model_fields", {})
        below = [getattr(field.default, "__class__", None) for field in fields.values()]
        return set(fields).union(*(names(kind) for kind in below))

    assert names(Deployment) - shown - SECTIONS.keys() == set()


def test_the_example_environment_names_what_is_read() -> None:
    """A name in .env.example that nobody reads would mislead."""
    shown = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = {*ENDPOINT, *KEY, *MODEL, *API_VERSION, *PUBLIC_URL, *STREAM_KEY, *DATA, *RECORDS_URL}
    read |= {*chain(*environment_names().values())}
    assert shown - read == {"AZURE_TOKEN_CREDENTIALS"}


def test_the_documentation_names_every_key_and_variable() -> None:
    """docs/configuration.md has all of both files and of the environment; a provider's keys are on its page."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`]+)`", text))))
    wanted = {*ENDPOINT, *KEY, *MODEL, *API_VERSION, *PUBLIC_URL}
    for schema in schemas().values():
        sections = {name: each for name, each in schema["$defs"].items() if name.lower() not in SECTIONS}
        for section in (schema, *sections.values()):
            wanted |= set(section.get("properties", {}))
    assert wanted - named - set(SECTIONS) - {"channels", "reference_source"} == set()
