"""The result of a function: the text that the model gets, or the failure. Pure."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from msgspec import Struct
from pydantic import BaseModel

from gateway.text import joined

Outcome = Literal["ok", "error", "timeout", "refused"]

OUTPUT_LIMIT = 64 * 1024
"""Most bytes of an answer; more would only fill the model's context."""
EXCERPT_LIMIT = 500
"""Most characters of a foreign message in an error."""


@dataclass(frozen=True)
class FunctionResult:
    """``output`` is JSON for the model; ``refused`` was not carried out at all."""

    output: str = field(repr=False)
    outcome: Outcome


class FunctionFailed(Exception):  # noqa: N818 -- the name says what happened to a function
    """A function failed: ``message`` is for the model, ``detail`` for the log.

    ``trace`` is where the operator's code raised, if it did.
    """

    def __init__(self, message: str, detail: str, outcome: Outcome = "error", trace: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.outcome = outcome
        self.trace = trace


def read_json(text: str) -> Any:
    """Return the value that ``text`` holds. Raises ValueError for what is no JSON, such as NaN, Infinity and 1e999."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None


def write_json(value: Any) -> str:
    """Write ``value`` without white space, in text that UTF-8 can hold. Raises ValueError for what JSON cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return joined(text).encode("utf-8", "replace").decode()


def too_long() -> FunctionFailed:
    """Return the failure of a function whose answer is longer than :data:`OUTPUT_LIMIT`."""
    return FunctionFailed("the answer is too long", f"the answer has more than {OUTPUT_LIMIT} bytes")


def require_short(value: Any) -> None:
    """Raise FunctionFailed for a value that is far too long; inspects no more of it than may be sent.

    Writing a large value as JSON holds the interpreter's lock for seconds, also in a thread, and so stops every call.
    """
    left, found = OUTPUT_LIMIT, [value]
    while found:
        one = found.pop()
        left -= len(one) if isinstance(one, str | bytes | bytearray) else 1
        inside = _inside(one)
        if left < 0 or len(inside) > left:
            raise too_long()
        found.extend(inside)


def _inside(value: Any) -> Collection[Any]:
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if isinstance(value, Struct):
        return [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, BaseModel):
        return value.__dict__.values()
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, one.name) for one in fields(value)]
    return ()


def excerpt(text: str) -> str:
    """Return ``text`` on one line, of :data:`EXCERPT_LIMIT` characters at most."""
    line = " ".join(text[: 10 * EXCERPT_LIMIT].split())
    return line if len(line) <= EXCERPT_LIMIT else line[: EXCERPT_LIMIT - 1] + "…"


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
