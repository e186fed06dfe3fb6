"""The meaning of an HTTP answer: a value for the model, or a failure. Pure."""

from dataclasses import dataclass, field
from typing import Any

from gateway.function import HttpCall
from gateway.tools.result import FunctionFailed, excerpt, read_json, write_json

HIDDEN = "***"
HIDDEN_FROM = 8
"""Parts of the line's own headers of this length or more count as keys and tokens, which a refusal may repeat."""
_MESSAGE_KEYS = ("error", "message", "detail", "title")
"""Members in which services say what is wrong (RFC 9457 has ``detail`` and ``title``)."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; ``charset`` is empty where none is given."""

    status: int
    content_type: str
    charset: str = ""
    body: bytes = field(default=b"", repr=False)


def value_of(answer: Answer, http: HttpCall) -> Any:
    """Return what the model gets of an answer. Raises FunctionFailed for one that is no success or cannot be read."""
    status = f"the answer's status is {answer.status}"
    if 300 <= answer.status < 400:
        raise FunctionFailed("the service answered with a redirect, which is not followed", status)
    if 400 <= answer.status < 500:
        raise FunctionFailed(_refusal(answer, http), status)
    if not 200 <= answer.status < 300:
        raise FunctionFailed("the service failed", status)
    text = _text(answer)
    if not text:
        return {"result": "done"}
    if not _is_json(answer):
        return {"result": text}
    try:
        return read_json(text)
    except ValueError:
        raise FunctionFailed("the answer is not valid JSON", f"{answer.content_type} that does not parse") from None


def _is_json(answer: Answer) -> bool:
    kind = answer.content_type.lower()
    return kind == "application/json" or kind.endswith("+json")


def _text(answer: Answer) -> str:
    """Return the body as text, whatever type it names."""
    charset = answer.charset or "utf-8"
    try:
        text = answer.body.decode(charset)
    except (LookupError, ValueError):
        raise FunctionFailed("the answer is not text", f"the body is not {charset}") from None
    text = text.removeprefix("\ufeff").strip()
    if any(sign < " " and sign not in "\t\n\r\f" for sign in text):
        raise FunctionFailed("the answer is not text", f"{answer.content_type} with control characters")
    return text


def _refusal(answer: Answer, http: HttpCall) -> str:
    """Return the service's own words about a 4xx, short, and without the keys that the line sends."""
    said = "the service refused the request"
    try:
        message = _message(answer)
    except FunctionFailed:
        return said
    keys = [part for value in http.headers.values() for part in value.split() if len(part) >= HIDDEN_FROM]
    for key in sorted([*keys, *([http.secret] if http.secret else [])], key=len, reverse=True):
        message = message.replace(key, HIDDEN)
    return excerpt(message) or said


def _message(answer: Answer) -> str:
    if "html" in answer.content_type.lower():
        return ""
    text = _text(answer)
    if not _is_json(answer):
        return text
    try:
        value = read_json(text)
        if isinstance(value, dict):
            value = next((value[key] for key in _MESSAGE_KEYS if isinstance(value.get(key), str)), value)
        return value if isinstance(value, str) else write_json(value)
    except ValueError:
        return ""
