"""JSON Schema of the two kinds of file, for editors (draft 2020-12)."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from gateway.config.deployment import MAY_BE_EMPTY, Deployment
from gateway.config.line.line import Settings
from gateway.config.providers import ACCOUNT_NAME, Providers, settings_of
from gateway.config.reading.section import NOT_BLANK

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Schema(GenerateJsonSchema):
    """Makes a schema without ``null``: a key may be left out, but not written without a value."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        described = super().default_schema(schema)
        if described.get("default") is None:
            described.pop("default", None)
        return described


_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
"""pydantic's names of bounds on types with validators, and those of JSON Schema."""
_ABOUT = frozenset(("description", "default"))
_REFERENCE = {
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}",
    "description": "A value from the environment: ${NAME}.",
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of a line's file (``line``) and of ``gateway.yaml`` (``gateway``)."""
    line = _schema(Settings)
    line["oneOf"] = [{"required": ["instructions"]}, {"required": ["instructions_file"]}, {"required": ["agent"]}]
    return {"line": line, "gateway": _with_empty_sections(_schema(Deployment))}


def _with_empty_sections(gateway: dict[str, Any]) -> dict[str, Any]:
    """Allow empty sections, as the loader does: ``twilio:`` alone is a provider to serve."""
    of_providers = gateway["$defs"]["Providers"]["properties"]
    for *around, name in MAY_BE_EMPTY:
        properties = of_providers if around else gateway["properties"]
        of_the_section = gateway["$defs"][properties[name]["$ref"].rpartition("/")[2]]
        about = {key: value for key, value in properties[name].items() if key in _ABOUT}
        about.setdefault("description", of_the_section["description"])
        section = {key: value for key, value in properties[name].items() if key not in _ABOUT}
        properties[name] = {**about, "anyOf": [section, {"type": "null"}]}
    return gateway


def _schema(kind: type[Settings] | type[Deployment]) -> dict[str, Any]:
    plain = _plain(kind.model_json_schema(schema_generator=_Schema))
    sections = {name: _section(section) for name, section in plain.pop("$defs").items()}
    if "Providers" in sections:
        sections["Providers"] = _with_accounts(sections["Providers"])
    return {"$schema": DIALECT, "$defs": {**sections, "Reference": _REFERENCE}, **_section(plain)}


def _plain(node: Any) -> Any:
    """Return a schema without pydantic's titles and without ``null`` in the defaults shown."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        _BOUNDS.get(key, key): _plain(value)
        for key, value in node.items()
        if value is not None and not (key == "title" and isinstance(value, str))
    }


def _with_accounts(section: dict[str, Any]) -> dict[str, Any]:
    """Allow further accounts, with names of their own and the keys of the provider that they name."""
    known = list(Providers.model_fields)
    whose = {name: {"required": ["provider"], "properties": {"provider": {"const": name}}} for name in known}
    kinds = [
        {"if": condition, "then": {"$ref": f"#/$defs/{settings_of(name).__name__}"}}
        for name, condition in whose.items()
    ]
    account = {
        "type": "object",
        "required": ["provider"],
        "properties": {"provider": {"enum": known}},
        "allOf": kinds,
    }
    names = {"anyOf": [{"enum": known}, {"pattern": f"^{ACCOUNT_NAME.pattern}$"}]}
    return {**section, "propertyNames": names, "additionalProperties": account}


def _section(node: dict[str, Any]) -> dict[str, Any]:
    return {**node, "properties": {name: _value(value) for name, value in node["properties"].items()}}


def _value(node: Any) -> Any:
    """Return a value's schema that also takes ``${NAME}`` in place of any single value, as the loader does."""
    if isinstance(node, list):
        return [_value(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("pattern") == NOT_BLANK:
        return node
    if node.get("type") in ("integer", "number", "boolean") or node.keys() & {"const", "enum", "pattern"}:
        about = {key: value for key, value in node.items() if key in _ABOUT}
        bare = {key: value for key, value in node.items() if key not in _ABOUT}
        return {**about, "anyOf": [bare, {"$ref": "#/$defs/Reference"}]}
    within = {key: _value(value) if key in ("items", "additionalProperties") else value for key, value in node.items()}
    if "patternProperties" in within:
        within["patternProperties"] = {name: _value(value) for name, value in node["patternProperties"].items()}
        within["additionalProperties"] = False
    branches = [_value(branch) for key in ("anyOf", "oneOf") for branch in within.pop(key, ())]
    within.pop("discriminator", None)  # it belongs to OpenAPI, and a type from the environment fits several branches
    return {**within, "anyOf": branches} if branches else within
