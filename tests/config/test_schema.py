from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.config.document import read_document
from gateway.config.schema import schemas

CONFIG = Path(__file__).parents[2] / "config"
LINES = sorted((CONFIG / "lines").glob("*.yaml"))


def undescribed(schema: dict[str, Any]) -> Iterator[str]:
    """The keys of a schema, those of its sections too, that neither they nor their section describes."""
    sections = schema.get("$defs", {})
    for section in (schema, *sections.values()):
        for name, described in section.get("properties", {}).items():
            kind = sections.get(described.get("$ref", "").removeprefix("#/$defs/"), {})
            if not (described.get("description") or kind.get("description")) and name != "type":
                yield name


def complaints(kind: str, data: object) -> list[str]:
    """What the schema has against ``data``."""
    return [error.message for error in Draft202012Validator(schemas()[kind]).iter_errors(data)]


@pytest.mark.parametrize("kind", ["line", "gateway"])
def test_the_schemas_are_schemas(kind: str) -> None:
    """They are valid in the draft that they name."""
    Draft202012Validator.check_schema(schemas()[kind])


@pytest.mark.parametrize("file", LINES, ids=lambda file: file.stem)
def test_the_example_lines_pass_the_schema(file: Path) -> None:
    """An editor that uses the schema finds nothing to mark in them."""
    assert complaints("line", read_document(file, {}).data) == []


def test_the_example_gateway_passes_the_schema() -> None:
    """Also with every commented key left out."""
    assert complaints("gateway", {"providers": {"twilio": {}}, "limits": {"calls": 3}}) == []
    data = read_document(CONFIG / "gateway.yaml", {}, may_be_empty=[("providers", "twilio")]).data
    assert complaints("gateway", data) == []


@pytest.mark.parametrize("kind", ["line", "gateway"])
def test_every_key_is_described(kind: str) -> None:
    """The description is what an editor shows beside the key."""
    assert list(undescribed(schemas()[kind])) == []


@pytest.mark.parametrize(
    "more",
    [
        {"gretting": "x"},
        {"instructions_file": "x.md"},
        {"barge_in": "yes"},
        {"greeting": None},
        {"turn_detection": {"type": "server_vat"}},
        {"numbers": ["555-0100"]},
        {"language": "german!"},
    ],
)
def test_the_schema_refuses_what_the_gateway_refuses(more: dict[str, Any]) -> None:
    """Unknown keys, wrong kinds and empty values are marked in the editor already."""
    assert complaints("line", {"numbers": ["*"], "instructions": "x"} | more)


@pytest.mark.parametrize(
    "more",
    [
        {"turn_detection": "none", "commit_on": "#"},
        {"greeting": {"prompt": "kindly"}},
        {"voice": {"type": "openai", "name": "marin"}},
        {"echo_cancellation": "server_echo_cancellation"},
        {"max_response_output_tokens": "inf"},
        {"voice": {"type": "azure-standard", "name": "x", "rate": 1.1}},
    ],
)
def test_the_schema_takes_every_way_of_writing(more: dict[str, Any]) -> None:
    """A key that can be written in several ways can be so in an editor."""
    assert complaints("line", {"numbers": ["*"], "instructions": "x"} | more) == []
