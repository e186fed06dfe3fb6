"""All kinds of findings, the settings that they name, and the page that explains them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.config.telling.schema import schemas
from gateway.records.explain.kinds import KINDS, PAGE, made
from tests.documents import ROOT

TEXT = (ROOT / PAGE).read_text("utf-8")


def keys_of(schema: Any, part: Any, seen: tuple[str, ...] = ()) -> set[str]:
    """All keys of a part of a schema, as paths."""
    found: set[str] = set()
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if name in seen:
            return found
        part, seen = schema["$defs"][name], (*seen, name)
    for one in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        found |= keys_of(schema, one, seen)
    if "items" in part:
        found |= {f"[]{'' if key.startswith('[') else '.'}{key}" for key in keys_of(schema, part["items"], seen)}
    for name, inner in part.get("properties", {}).items():
        inside = keys_of(schema, inner, seen)
        found |= {name} | {name + (key if key.startswith("[") else f".{key}") for key in inside}
    return found


KEYS = {key for schema in schemas().values() for key in keys_of(schema, schema)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_exist(kind: str) -> None:
    """In a line's file or in gateway.yaml."""
    assert KINDS[kind].settings
    assert set(KINDS[kind].settings) <= KEYS


def test_every_kind_is_explained() -> None:
    """In a section of its own, with its sentence and all its settings; the page explains no other."""
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
    assert set(sections) == {kind.replace("_", "-") for kind in KINDS}
    for name, kind in KINDS.items():
        text = sections[name.replace("_", "-")]
        assert f"**{kind.title}.**" in text, name
        found = re.search(r"^Settings: (.*)$", text, re.MULTILINE)
        assert found is not None, name
        assert re.findall(r"`([^`]+)`", found[1]) == list(kind.settings), name


def test_a_finding_has_the_words_of_its_kind() -> None:
    """And the figures of its call."""
    found = made("quota", 99.96, "429", [1.2, 3])
    assert (found.title, found.page, found.at_ms) == (KINDS["quota"].title, "docs/explain.md#quota", [1, 3])
    assert (found.score, found.detail, found.settings) == (100.0, "429", KINDS["quota"].settings)
    assert json.dumps(found.at_ms) == "[1, 3]"
    assert Path(found.page.partition("#")[0]).name == "explain.md"
