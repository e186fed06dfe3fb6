"""JSON Schema of the two kinds of file, for editors (draft 2020-12)."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from gateway.config.deployment import Deployment
from gateway.config.line import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Schema(GenerateJsonSchema):
    """A key that may be left out may not be written without a value: ``null`` is no choice in these files."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        described = super().default_schema(schema)
        if described.get("default") is None:
            described.pop("default", None)
        return described


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of a line's file (``line``) and of ``gateway.yaml`` (``gateway``)."""
    line = _schema(Settings)
    line["oneOf"] = [{"required": ["instructions"]}, {"required": ["instructions_file"]}]
    return {"line": line, "gateway": _schema(Deployment)}


def _schema(kind: type[Settings] | type[Deployment]) -> dict[str, Any]:
    return {"$schema": DIALECT, **_plain(kind.model_json_schema(schema_generator=_Schema))}


def _plain(node: Any) -> Any:
    """Without the titles that pydantic makes of names, and without ``null`` in shown defaults."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _plain(value)
        for key, value in node.items()
        if value is not None and not (key == "title" and isinstance(value, str))
    }
