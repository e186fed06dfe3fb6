"""Reads ``facts.yaml``, which stands beside this module, and prints it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from gateway.sim.emulator.faults import StrictModel
from gateway.sim.yaml_model import load

FILE = Path(__file__).with_name("facts.yaml")
Certainty = Literal["recorded", "tested", "documented", "reported", "uncertain"]


class Fact(StrictModel):
    """A behaviour of the emulator, and why it is so."""

    fact: str
    about: str
    """The part of the protocol, such as ``session`` or ``mcp``."""
    certainty: Certainty
    source: str
    """The name of the source, one of ``sources``."""
    script: str | None = None
    """The key of a script that chooses another behaviour, with dots."""


class Facts(StrictModel):
    """All facts, their sources, and what each certainty means."""

    certainties: dict[Certainty, str]
    sources: dict[str, str]
    facts: list[Fact] = Field(min_length=1)


def load_facts() -> Facts:
    """Load the facts."""
    return load(FILE, Facts, "facts", "certainties, sources", (Fact,))


def lines_of(facts: Facts) -> Iterator[str]:
    """Yield the lines to print: the facts of each part of the protocol, then what the words in them mean."""
    for about in dict.fromkeys(fact.about for fact in facts.facts):
        yield about
        for fact in facts.facts:
            if fact.about == about:
                key = f"; script: {fact.script}" if fact.script else ""
                yield f"  {fact.certainty:<10}  {fact.fact} ({fact.source}{key})"
        yield ""
    yield "certainty"
    yield from (f"  {name:<10}  {meaning}" for name, meaning in facts.certainties.items())
    yield ""
    yield "source"
    yield from (f"  {name}: {meaning}" for name, meaning in facts.sources.items())
