"""The arguments of a function as the model wrote them: read, checked, refused with a reason. Pure."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from gateway.tools.result import FunctionFailed, excerpt, read_json, write_json

ARGUMENTS_LIMIT = 32 * 1024
"""Most characters of the arguments of one call; a caller's words take a few hundred."""
ERRORS_REPORTED = 3
"""Most mistakes that are reported at once; the model tries again with all arguments."""


def read_arguments(text: str, secret_names: Iterable[str]) -> dict[str, Any]:
    """Return the arguments in ``text``, without those that the caller enters: the model cannot supply a secret.

    An empty text holds no arguments. Raises FunctionFailed (``refused``).
    """
    if len(text) > ARGUMENTS_LIMIT:
        raise refused("the arguments are too long", f"the arguments have more than {ARGUMENTS_LIMIT} characters")
    try:
        arguments = read_json(text) if text.strip() else {}
    except ValueError:
        raise refused("the arguments are not valid JSON", "the arguments are not JSON") from None
    if not isinstance(arguments, dict):
        raise refused("the arguments are not a JSON object", "the arguments are not an object")
    hidden = set(secret_names)
    return {name: value for name, value in arguments.items() if name not in hidden}


def check_by_schema(arguments: Mapping[str, Any], checks: Draft202012Validator) -> None:
    """Check by a schema; raise FunctionFailed (``refused``) that says what does not match."""
    try:
        errors = [
            f"{'.'.join(map(str, error.absolute_path))}: {error.message}" if error.absolute_path else error.message
            for error in islice(checks.iter_errors(arguments), ERRORS_REPORTED)
        ]
    except RecursionError:
        raise refused("the arguments are nested too deep", "the arguments are nested too deep") from None
    if errors:
        raise _mismatch(errors)


def read_by_model(arguments: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return the arguments as the types that a function in Python declares, its defaults included.

    Raises FunctionFailed (``refused``) that says what does not match.
    """
    try:
        given = model.model_validate_json(write_json(arguments))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        mistakes = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:ERRORS_REPORTED])
        raise _mismatch([line.removeprefix(": ") for line in mistakes]) from None
    return {name: getattr(given, name) for name in model.model_fields}


def refused(message: str, detail: str) -> FunctionFailed:
    """Return the failure of a call that is not carried out, with its reason; the model may try again."""
    return FunctionFailed(message, detail, "refused")


def _mismatch(errors: list[str]) -> FunctionFailed:
    return refused(excerpt(f"the arguments do not fit: {'; '.join(errors)}"), "the arguments do not match the schema")
