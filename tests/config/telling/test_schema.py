from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from gateway.config import ConfigErrors, load_deployment
from gateway.config.line_file import LineFile
from gateway.config.reading.document import read_document
from gateway.config.telling.schema import schemas

CONFIG = Path(__file__).parents[3] / "config"
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
    assert schemas()[kind]["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("file", LINES, ids=lambda file: file.stem)
def test_the_example_lines_pass_the_schema(file: Path) -> None:
    """An editor that uses the schema finds nothing to mark in them."""
    assert complaints("line", read_document(file, {}).data) == []


def test_the_example_gateway_passes_the_schema() -> None:
    """Also with every commented key left out."""
    assert complaints("gateway", {"providers": {"twilio": {}}, "limits": {"calls": 3}}) == []
    data = read_document(CONFIG / "gateway.yaml", {}, may_be_empty=[("providers", "twilio")]).data
    assert complaints("gateway", data) == []


@pytest.mark.parametrize("file", [CONFIG / "gateway.yaml", *LINES], ids=lambda file: file.stem)
def test_the_shipped_files_pass_as_an_editor_reads_them(file: Path) -> None:
    """By a plain YAML parser: a section without keys is null to it."""
    kind = "gateway" if file.stem == "gateway" else "line"
    assert complaints(kind, YAML(typ="safe").load(file)) == []


@pytest.mark.parametrize("text", ["listen:", "providers:", "providers: {twilio: , acs: }", "limits:\nstreams:"])
def test_a_section_may_be_empty(text: str, tmp_path: Path) -> None:
    """For the loader and for editors alike."""
    (tmp_path / "gateway.yaml").write_text(text)
    load_deployment(tmp_path / "gateway.yaml", {})
    assert complaints("gateway", YAML(typ="safe").load(text)) == []


@pytest.mark.parametrize("kind", ["line", "gateway"])
def test_every_key_is_described(kind: str) -> None:
    """The description is what an editor shows beside the key."""
    assert list(undescribed(schemas()[kind])) == []


@pytest.mark.parametrize(
    "more",
    [
        {"gretting": "x"},
        {"instructions_file": "x.md"},
        {"agent": {"name": "a", "project": "p"}},
        {"on_key": {"A": {"hang_up": True}}},
        {"hours": {"open": {"mon": "9-17"}, "closed": {"say": "x"}}},
        {"tools": [{"name": "a", "description": "b"}]},
        {"barge_in": "yes"},
        {"barge_in": {"protect": 1}},
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
        {"greeting": {"play": "a.wav", "text": "Hello.", "interruptible": False}},
        {"tools": [{"python": "a.b:c"}, "end_call"]},
        {"echo_cancellation": "server_echo_cancellation"},
        {"max_response_output_tokens": "inf"},
        {"barge_in": {"protect_ms": 500, "greeting": False}},
        {"voice": {"type": "azure-standard", "name": "x", "rate": 1.1}},
    ],
)
def test_the_schema_takes_every_way_of_writing(more: dict[str, Any]) -> None:
    """A key that can be written in several ways can be so in an editor."""
    assert complaints("line", {"numbers": ["*"], "instructions": "x"} | more) == []


TOOL = 'tools: [{{name: a, description: b, http: {{url: "https://a.b/"{}}}}}]'
ENVIRON = {
    "A": "40",
    "B": "false",
    "C": "2.5",
    "K": "secret",
    "N": "+14255550100",
    "T": "server_vad",
    "U": "https://a.b",
}
"""What the references of the files below stand for."""


@pytest.mark.parametrize(
    ("is_right", "text"),
    [
        (True, "limits: {duration_s: 10, calls: 1}"),
        (False, "limits: {duration_s: 9}"),
        (False, "limits: {duration_s: 43201}"),
        (False, "limits: {calls: 0}"),
        (True, 'limits: {duration_s: "${A}", calls: "${A}0"}'),
        (False, 'limits: {duration_s: "40"}'),
        (True, 'barge_in: "${B}"'),
        (False, 'barge_in: "false"'),
        (True, 'silence: {after_s: "${C}", say: x, times: 10}'),
        (False, "silence: {after_s: 5, say: x, times: 11}"),
        (False, 'silence: {after_s: 5, say: " "}'),
        (False, "silence: {after_s: 301, say: x}"),
        (False, 'greeting: ""'),
        (False, 'greeting: {prompt: ""}'),
        (False, "greeting: 5"),
        (False, 'timezone: ""'),
        (False, 'model: ""'),
        (True, "variables: {a: 1, b: 007, c: x}"),
        (False, "variables: {my firm: x}"),
        (False, "variables: {now: x}"),
        (False, 'variables: {a: ""}'),
        (False, "variables: {a: true}"),
        (True, "max_response_output_tokens: 4096"),
        (True, 'max_response_output_tokens: "${A}"'),
        (False, "max_response_output_tokens: 4097"),
        (False, "max_response_output_tokens: infinite"),
        (True, "voice: en-US-AvaNeural"),
        (True, "voice: {type: azure-standard, name: x, rate: 1.10}"),
        (False, "voice: Marin"),
        (False, 'voice: {type: azure-standard, name: ""}'),
        (True, "voice: marin"),
        (True, 'model: gpt-4.1\nturn_detection: {type: "${T}", prefix_padding_ms: "${A}"}'),
        (False, "turn_detection: {type: azure_semantic_vad, prefix_padding_ms: 10001}"),
        (False, "turn_detection: {type: azure_semantic_vad, threshold: 1.5}"),
        (False, "tools: [end_call, end_call]"),
        (True, 'transfers: {desk: "+14255550199", billing: {to: "sip:b@example.com"}}'),
        (True, 'transfers: {desk: "${N}"}'),
        (False, "transfers: {desk: reception}"),
        (False, 'transfers: {the desk: "+14255550199"}'),
        (True, 'on_key: {"1": {hang_up: true}, "#": {say: x}}\ndigits: {finish_on: none, pause_s: 1}'),
        (False, 'digits: {finish_on: "A"}'),
        (False, "digits: {pause_s: 0}"),
        (True, 'hours: {open: {fri-mon: "22:00-02:00"}, holidays: ["2026-12-25"], closed: {say: x}}'),
        (False, 'hours: {open: {fri: "25:00-02:00"}, closed: {say: x}}'),
        (False, 'hours: {open: {friday: "20:00-22:00"}, closed: {say: x}}'),
        (False, 'hours: {open: {fri: "20:00-22:00"}}'),
        (True, "parameters: [customer_name]"),
        (False, "parameters: [customer_name, customer_name]"),
        (False, "parameters: [caller]"),
        (True, TOOL.format("")),
        (True, TOOL.format(', secret: "${K}", timeout_s: "${A}", headers: {X: "${K}"}')),
        (False, TOOL.format(", secret: word")),
        (False, TOOL.format(", timeout_s: 61")),
        (False, TOOL.format(", method: FETCH")),
        (False, 'tools: [{name: "a b", description: b, http: {url: "https://a.b"}}]'),
        (False, "tools: [{name: a, description: b, http: {url: ftp://a.b}}]"),
        (True, "tools: [{name: a, description: b, http: {url: 'HTTPS://a.b/'}}]"),
        (True, 'tools: [{name: a, description: b, http: {url: "${U}"}, parameters: {a: string?, b: {type: string}}}]'),
        (True, 'tools: [{name: a, description: b, http: {url: "${U}"}, parameters: {a: {secret: digits, length: 4}}}]'),
        (True, 'tools: [{name: a, description: b, http: {url: "${U}"}, parameters: {type: object, properties: {}}}]'),
        (False, 'tools: [{name: a, description: b, http: {url: "${U}"}, parameters: {a: text}}]'),
        (False, 'tools: [{name: a, description: b, http: {url: "${U}"}, parameters: {a: {secret: digits, x: 4}}}]'),
        (True, 'tools: [{mcp: {server_label: a, server_url: "${U}", require_approval: never, authorization: "${K}"}}]'),
        (False, 'tools: [{mcp: {server_label: a, server_url: "${U}", require_approval: never, authorization: k}}]'),
        (False, 'tools: [{mcp: {server_label: a, server_url: "${U}", require_approval: maybe}}]'),
        (False, f"metadata: {{a: {'x' * 513}}}"),
        (True, "model: [gpt-realtime, gpt-4.1-mini]"),
        (False, "model: []"),
        (False, "model: [gpt-4.1, gpt-4.1]"),
        (False, "model: [gpt-4.1, 5]"),
        (False, "tolerant: often"),
        (False, f"metadata: {{{'x' * 65}: a}}"),
    ],
)
def test_schema_and_loader_agree_about_a_line(tmp_path: Path, is_right: bool, text: str) -> None:
    """What an editor marks is what the gateway refuses, bounds, blanks and references to the environment included."""
    file = tmp_path / "line.yaml"
    file.write_text(f'numbers: ["${{N}}"]\ninstructions: Answer.\n{text}\n')
    as_typed = YAML(typ="safe", pure=True).load(file.read_text())
    assert (complaints("line", as_typed) == []) is is_right
    assert (LineFile(file, "gpt-realtime", ENVIRON).errors == []) is is_right


@pytest.mark.parametrize(
    ("is_right", "text"),
    [
        (True, 'listen: {port: "80${A}"}'),
        (False, "listen: {port: 65536}"),
        (False, 'listen: {host: ""}'),
        (True, 'voice_live: {endpoint: "${U}", key: "${K}"}'),
        (False, "voice_live: {key: secret}"),
        (False, "voice_live: {endpoint: a.b}"),
        (False, "voice_live: {api_version: latest}"),
        (True, 'voice_live: {connect_timeout_s: "${C}"}'),
        (False, "voice_live: {connect_timeout_s: 0}"),
        (False, "public_url: wss://voice.example.com"),
        (False, "limits: {calls: 0}"),
        (True, 'streams: {key: ["${K}", "${A}"]}'),
        (True, 'providers: {twilio: {auth_token: ["${K}", "${A}"]}}'),
        (False, 'providers: {twilio: {auth_token: ["${K}", "${A}", "${C}"]}}'),
        (False, "providers: {twilio: {auth_token: []}}"),
        (False, 'providers: {twilio: {auth_token: ["${K}", secret]}}'),
        (False, 'providers: {signalwire: {api_token: ["${K}", "${A}"]}}'),
        (True, 'providers: {eu: {provider: twilio, auth_token: "${K}"}, eu-2: {provider: vonage, rate_hz: 8000}}'),
        (False, 'providers: {eu: {auth_token: "${K}"}}'),
        (False, "providers: {eu: {provider: twillio}}"),
        (False, "providers: {eu: {provider: twilio, auth_id: x}}"),
        (False, "providers: {Eu: {provider: twilio}}"),
        (False, "providers: {eu: twilio}"),
    ],
)
def test_schema_and_loader_agree_about_a_deployment(tmp_path: Path, is_right: bool, text: str) -> None:
    """The same of gateway.yaml."""
    file = tmp_path / "gateway.yaml"
    file.write_text(text)
    assert (complaints("gateway", YAML(typ="safe", pure=True).load(text)) == []) is is_right
    try:
        load_deployment(file, ENVIRON)
    except ConfigErrors:
        assert not is_right
    else:
        assert is_right
