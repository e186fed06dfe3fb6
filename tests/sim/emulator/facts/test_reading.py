"""The facts of the emulator: each with a source that is named, and keys that a script really has."""

import re
from typing import Any, get_args

from gateway.sim.emulator.facts.reading import Certainty, lines_of, load_facts
from gateway.sim.emulator.script import Script
from tests.documents import ROOT

FACTS = load_facts()


def has_key(path: str) -> bool:
    """Return whether a script has a key, with dots through its objects, lists and maps."""
    schema = Script.model_json_schema()
    at: Any = schema

    def inner(node: Any) -> list[Any]:
        """The schemas that may stand at a node."""
        if "$ref" in node:
            return inner(schema["$defs"][node["$ref"].rpartition("/")[2]])
        choices = [found for each in node.get("anyOf", ()) for found in inner(each)]
        for wrapper in ("items", "additionalProperties"):
            if isinstance(node.get(wrapper), dict):
                choices += inner(node[wrapper])
        return [node, *choices]

    for key in path.split("."):
        found = [node["properties"][key] for node in inner(at) if key in node.get("properties", {})]
        if not found:
            return False
        at = found[0]
    return True


def test_each_fact_has_a_source_that_is_named() -> None:
    """And each source and certainty that is named is used."""
    assert {fact.source for fact in FACTS.facts} == set(FACTS.sources)
    assert {fact.certainty for fact in FACTS.facts} == set(FACTS.certainties) == set(get_args(Certainty))
    assert len({fact.fact for fact in FACTS.facts}) == len(FACTS.facts)


def test_each_key_is_one_of_a_script() -> None:
    """So that the other reading can be tried."""
    assert not has_key("no.such.key")
    assert [fact.script for fact in FACTS.facts if fact.script and not has_key(fact.script)] == []


def test_what_is_chosen_here_is_uncertain() -> None:
    """Nothing that is made up is sold as known."""
    assert {fact.certainty for fact in FACTS.facts if fact.source in ("choice", "drafts")} == {"uncertain"}


def test_all_of_it_is_printed() -> None:
    """By part of the protocol, with the words explained behind it."""
    lines = list(lines_of(FACTS))
    text = "\n".join(lines)
    assert all(fact.fact in text for fact in FACTS.facts)
    assert re.search(r"uncertain +an approved call has a response of its own.*script: turns\.mcp\.approval\)", text)
    assert all(meaning in text for meaning in (*FACTS.certainties.values(), *FACTS.sources.values()))
    assert lines[0] == "connection"


def test_the_page_names_the_command() -> None:
    """Whoever reads about the emulator finds its facts."""
    assert "--facts" in (ROOT / "docs" / "emulator.md").read_text("utf-8")
