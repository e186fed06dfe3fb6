"""The table of what each provider can do, and the pages that it leads to."""

import io
import re
import sys
from pathlib import Path

import pytest

from gateway.audio.formats import L16_8K, PCMU
from gateway.cli import main
from gateway.cli.providers import everyone, table
from gateway.config.providers import Providers
from gateway.config.providers import Twilio as Settings
from gateway.phone.events import Playout
from gateway.phone.provider import Confirmation, Traits
from gateway.phone.providers.twilio.provider import Twilio
from tests.documents import ROOT, prose
from tests.phone.parts import setup

PAGE = ROOT / "docs" / "providers.md"
PAGES = sorted((ROOT / "docs" / "providers").glob("*.md"))
HEADINGS = ("In gateway.yaml", "What works", "Limits and gotchas")


def test_the_command_prints_every_provider(capsys: pytest.CaptureFixture[str]) -> None:
    """A Markdown table with a row for each, in the order of ``gateway.yaml``."""
    assert main(["providers"]) == 0
    head, line, *rows = capsys.readouterr().out.splitlines()
    assert set(line) == {"|", " ", "-"}
    assert [re.findall(r"\(providers/(\w+)\.md\)", row) for row in rows] == [[name] for name in Providers.model_fields]
    assert {row.count("|") for row in (head, line, *rows)} == {12}


def test_a_row_says_what_the_provider_declares() -> None:
    """Codecs, what it does and what it has no word for; whoever is not sure of all of it has a ¹."""

    class Humble(Twilio):
        traits = Traits(
            title="Humble Phones",
            formats=(PCMU, L16_8K),
            playout=Playout(),
            clears=False,
            confirmation=Confirmation.CLOCK,
            keys_in=False,
            unsure=True,
        )

    *_, row = table([Humble(Settings(), setup("humble"))]).splitlines()
    assert row == (
        "| [Humble Phones](providers/humble.md) ¹ | PCMU 8k, L16 8k | no | none: computed from the clock | no | no | no"
        " | no | no | none | none |"
    )


def test_the_document_has_the_table_as_it_is_printed() -> None:
    """docs/providers.md shows what the code declares, and explains the ¹ of those who have one."""
    text = PAGE.read_text("utf-8")
    assert table(everyone()) in text
    assert any(provider.traits.unsure for provider in everyone()) == bool(re.search("^¹ ", text, re.MULTILINE))


def test_every_provider_has_a_page_and_the_document_links_it() -> None:
    """And there is no page of a provider that is not served."""
    names = set(Providers.model_fields)
    assert {page.stem for page in PAGES} == names
    assert set(re.findall(r"\]\(providers/(\w+)\.md\)", prose(PAGE))) == names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_pages_have_the_same_headings(page: Path) -> None:
    """What is set there, what is set here, what works, what to know: in this order, and nothing else."""
    first, *rest = re.findall(r"^## (.+)$", prose(page), re.MULTILINE)
    assert first.startswith("Set at ")
    assert tuple(rest) == HEADINGS


def test_a_terminal_gets_a_table_and_no_colour_that_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same cells, drawn; NO_COLOR is honoured."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    assert main(["providers"]) == 0
    shown = terminal.getvalue()
    assert all(provider.traits.title in shown for provider in everyone())
    assert "|" not in shown
    assert "](" not in shown
    assert "\x1b[3" not in shown
