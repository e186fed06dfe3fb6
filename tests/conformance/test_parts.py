"""Every provider has all of its parts: whoever adds one is told what is still to be written."""

from pathlib import Path

import pytest

from gateway.phone.providers import PROVIDERS
from tests.documents import ROOT

NUMBER_WORDS = {13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen", 17: "seventeen", 18: "eighteen"}
COUNTED = (ROOT / "README.md", ROOT / "docs" / "providers.md")
PARTS = {
    "gateway/phone/providers/{name}/provider.py": "its class and the function make",
    "tests/phone/providers/{name}/test_provider.py": "tests that hold its codec to the golden transcripts",
    "tests/sim/providers/test_{name}.py": "tests of its simulated end",
    "gateway/sim/providers/{name}.py": "its simulated end",
    "docs/providers/{name}.md": "its page",
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", PROVIDERS)
def test_each_part_of_a_provider_is_there(name: str, part: str) -> None:
    """Module, tests and page have the provider's name."""
    path = part.format(name=name)
    assert (ROOT / path).exists(), f"{name}: write {path}, {PARTS[part]} (docs/adding-a-provider.md)"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_has_golden_transcripts(name: str) -> None:
    """The messages of its vendor's documents, one a line."""
    folder = ROOT / "tests" / "transcripts" / name
    transcripts = [path for path in folder.glob("*.jsonl") if path.stat().st_size]
    assert transcripts, f"{name}: write its messages, byte for byte, to tests/transcripts/{name}/*.jsonl"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_in_the_shipped_configuration_and_the_changelog(name: str) -> None:
    """As a commented line of ``config/gateway.yaml``, and by its title where users read what is new."""
    assert f"{name}:" in (ROOT / "config" / "gateway.yaml").read_text("utf-8"), (
        f"{name}: add a commented line to config/gateway.yaml"
    )


@pytest.mark.parametrize("page", COUNTED, ids=lambda page: page.name)
def test_the_documents_count_the_providers(page: Path) -> None:
    """The number stands as a word; it grows with each provider."""
    word = NUMBER_WORDS[len(PROVIDERS)]
    text = " ".join(page.read_text("utf-8").lower().split())
    assert f"{word} phone providers" in text, f"{page.name}: there are {word} phone providers now"
