"""Regular expressions that match in linear time, whatever the text: those of tools' schemas. Pure.

They are matched on the event loop against the model's text of a caller's speech. Python's ``re`` goes back and
forth over such a text, for seconds where a pattern such as ``^(\\w+\\s?)*$`` does not fit; pydantic's never does.
"""

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema


def problem(pattern: str) -> str:
    """Return why a pattern cannot be matched, in the engine's words; an empty text where it can."""
    try:
        _compiled(pattern)
    except SchemaError as error:
        return str(error).strip().rpartition("\n")[2].strip().rpartition("rror: ")[2].rstrip(".")
    return ""


def matches(pattern: str, text: str) -> bool:
    """Return whether ``text`` has the pattern anywhere, as in JSON Schema. Raises ``SchemaError`` for a bad one."""
    try:
        _compiled(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))
