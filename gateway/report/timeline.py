"""The timeline of a call: a row for each event. Pure."""

import json
from collections.abc import Mapping

from gateway.report.shown import Row


def row_of(at_ms: float, source: str, kind: str, fields: Mapping[str, object]) -> Row:
    """Return the row of an event, with its fields on one line; empty fields are left out."""
    told = (f"{name} {_brief(value)}" for name, value in fields.items() if value not in ("", None, []))
    return Row(round(at_ms), source, kind.replace("_", " "), " · ".join(told))


def _brief(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
