"""Explains pydantic's errors to the operator, at the position of the key."""

import difflib
import functools
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.config.reading.document import Document
from gateway.config.reading.environment import FromEnvironment
from gateway.config.reading.problems import KeyPath, listed, suggestion
from gateway.config.reading.scalars import WrittenFloat, WrittenInt
from gateway.config.reading.section import Section

S = TypeVar("S", bound=Section)

_NOT_SET_HERE = {
    "create_response": "the gateway sets it, expected no such key",
    "interrupt_response": "the gateway sets it, expected barge_in: true or false on the line",
    "auto_truncate": "the gateway cuts an answer at what the caller heard, expected no such key",
    "instruction": "unknown key, did you mean instructions?",
    **dict.fromkeys(
        ("avatar", "animation", "camera", "video", "image"), "a phone has no picture, expected no such key"
    ),
    "input_audio_format": "the phone provider decides it, expected no such key",
    "output_audio_format": "the phone provider decides it, expected no such key",
    "input_audio_sampling_rate": "the phone provider decides it, expected no such key",
    "input_audio_transcription": "unknown key, did you mean transcription?",
    "input_audio_noise_reduction": "unknown key, did you mean noise_reduction?",
    "input_audio_echo_cancellation": "unknown key, did you mean echo_cancellation?",
}
"""Keys that a user may expect but that do not exist, and what to write instead."""

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list in [brackets]",
    "dict_type": "keys with values",
    "mapping_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
}

_SHAPES: dict[str | int, str] = {
    "numbers": 'a list, such as ["+14255550100"]',
    "greeting": "a text, {say: …}, {prompt: …}, {play: …} or none",
    "barge_in": "true, false or keys with values, such as {min_speech_ms: 300}",
    "recording": "true, false or keys with values, such as {announce: This call is recorded.}",
    "announce": "a text, {say: …} or {play: …}",
    "voice": "a voice's name or keys with values",
    "turn_detection": "a word such as azure_semantic_vad, keys with values, such as {type: …}, or none",
    "transcription": "a word such as azure-speech, keys with values, such as {model: …}, or none",
    "echo_cancellation": "server_echo_cancellation or none",
    "deliver": "a list, such as [{url: https://…, secret: ${NAME}}]",
}
"""The expected forms of keys that can be written in several ways."""

_SECTIONS: dict[str | int, str] = {
    "after": "{say: …} or {transfer: …}",
    "on_failure": "{say: …} or {transfer: …}",
    "on_shutdown": "{say: …} or {transfer: …}",
    "on_trouble": "{say: …} or {play: …}",
    "when_full": "busy, {say: …} or {transfer: …}",
    "on_key": "{transfer: …}",
    "hours": '{open: {mon-fri: "09:00-17:00"}, closed: {say: …}}',
    "open": '{mon-fri: "09:00-17:00"}',
    "closed": "{say: …}",
    "silence": "{after_s: 8, say: …}",
    "limits": "{calls: 5}",
    "agent": "{name: …, project: …}",
    "http": "{url: https://…}",
    "mcp": "{server_label: …, server_url: https://…}",
    "approval": "{ask: …, key: …}",
    "consent": "{ask: …, key: …}",
    "listen": "{host: 127.0.0.1, port: 8080}",
    "voice_live": "{endpoint: https://…}",
    "providers": "{twilio: {}}",
    "transfers": '{desk: "+14255550199"}',
    "variables": "{company: Contoso}",
    "parameters": "{order_number: string}",
}
"""Examples of sections that people write as a text or a list; for a mapping, of its values too."""

_ALSO: dict[tuple[str | int, ...], str] = {("Deployment", "limits", "calls"): " or auto"}
"""Words that a key takes in place of a number, by the kind of the file and the key."""

_TYPOGRAPHIC = "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb"

_TOOL_KINDS = ("http", "python", "mcp")
_MAY_BE_NONE = ("turn_detection", "noise_reduction", "finish_on")

_NOTES: dict[str | int, str] = {
    "tools": "; a tool of your own is written with keys, such as {name: …, http: …}",
    "reference_source": "; a phone's stream brings no reference of its own",
}


def validate(kind: type[S], document: Document, context: object = None) -> S | None:
    """Return the document's data as ``kind``, or ``None``; add the mistakes to the document's errors."""
    if document.is_broken(()):
        return None
    try:
        return kind.model_validate(document.data, context=context)
    except ValidationError as error:
        found = [(_path(d, document.data), d) for d in error.errors(include_url=False)]
        unknown = [path for path, details in found if details["type"] == "extra_forbidden"]
        for path, details in found:
            if not document.is_broken(path) and not _follows_from(details, path, unknown):
                document.refuse(path, _message(details, path, kind, document.data) + _hint(details["input"]))
        return None


def _follows_from(details: ErrorDetails, path: KeyPath, unknown: list[KeyPath]) -> bool:
    """Return ``True`` if an error follows from another: a missing key was misspelt, or a list's items are wrong."""
    if details["type"] == "missing":
        beside = [str(other[-1]) for other in unknown if other[:-1] == path[:-1]]
        return bool(beside) and (len(path) > 1 or bool(difflib.get_close_matches(str(path[-1]), beside)))
    return details["type"] == "too_short" and bool(details["input"])


def _path(details: ErrorDetails, data: Any) -> KeyPath:
    """Return the key that pydantic means: its ``loc`` without the names of the alternatives it tried."""
    loc = details["loc"]
    path: list[int | str] = []
    for index, part in enumerate(loc):
        inside = part in data if isinstance(data, dict) else isinstance(part, int) and isinstance(data, list)
        if inside:
            data = data[part]
            path.append(part)
        elif isinstance(data, dict) and index == len(loc) - 1 and details["type"] == "missing":
            path.append(part)
    return tuple(path)


def _hint(value: Any) -> str:
    """Return a hint at typographic quotes around a wrong value; empty if there are none."""
    if not isinstance(value, str) or isinstance(value, FromEnvironment):
        return ""
    is_quoted = len(value) > 1 and value[0] in _TYPOGRAPHIC and value[-1] in _TYPOGRAPHIC
    return "; the quotes are typographic ones, expected \" or '" if is_quoted else ""


def _message(details: ErrorDetails, path: KeyPath, kind: type[Section], data: Any) -> str:
    context = details.get("ctx", {})
    value = details["input"]
    match details["type"]:
        case "missing":
            choices = [found.own_key for found in _sections(kind, path[:-1], data) if found.own_key]
            return f"is missing, expected {listed(choices)}" if len(choices) > 1 else "is missing"
        case "extra_forbidden":
            return _unknown_key(str(path[-1]), path[:-1], kind, data)
        case "value_error":
            problem = str(context["error"])
            return f"{_shown(value)} {problem}" if problem.startswith(("is not", "is neither")) else problem
        case "literal_error":
            return _choice(value, context["expected"], path)
        case "union_tag_invalid":
            return f"type {_choice(context['tag'], context['expected_tags'], path)}"
        case "union_tag_not_found":
            kinds = [name for section in _sections(kind, path, data) for name in _types(section)]
            return f"type is missing, expected {listed(kinds)}"
        case "greater_than_equal" | "greater_than":
            bound = "at least" if "ge" in context else "more than"
            return f"{_shown(value)} is too small, expected {bound} {context.get('ge', context.get('gt')):g}"
        case "less_than_equal":
            return f"{_shown(value)} is too large, expected at most {context['le']:g}"
        case "too_short":
            return "is empty, expected at least one"
        case "too_long" | "string_too_long":
            return f"is too long, expected at most {context['max_length']}"
        case name if name in _KINDS:
            shape = (_shape(path) or _section_shape(name, path)) + _ALSO.get((kind.__name__, *path), "")
            return f"expected {shape}, found {_shown(value)}{_typed(name, value)}"
        case _:
            return f"{details['msg']}, found {_shown(value)}"


def _shape(path: KeyPath) -> str:
    match path:
        case (key,):
            return _SHAPES.get(key, "")
        case ("transfers", _):
            return 'a phone number in quotes, a sip: address or keys with values, such as {to: "+14255550199"}'
        case ("tools", _, "while_waiting"):
            return "a text or keys with values, such as {say: …, after_s: 2}"
    return ""


def _section_shape(kind: str, path: KeyPath) -> str:
    example = next((_SECTIONS[part] for part in path[:-3:-1] if part in _SECTIONS), "")
    is_section = _KINDS[kind] == "keys with values"
    return f"{_KINDS[kind]}, such as {example}" if example and is_section else _KINDS[kind]


def _typed(kind: str, value: Any) -> str:
    """Return how the right value was written in a wrong way."""
    if not isinstance(value, str) or isinstance(value, FromEnvironment):
        return ""
    if kind == "tuple_type" and re.match(r"-\S", value):
        return ': a space is missing after the "-"'
    number = {"int_type": r"-?\d+", "float_type": r"-?\d+(\.\d+)?"}.get(kind)
    is_number = number is not None and re.fullmatch(number, value)
    is_switch = kind == "bool_type" and value in ("true", "false")
    return ": write it without quotes" if is_number or is_switch else ""


def _choice(value: Any, choices: str, path: KeyPath) -> str:
    words = [word.strip("'") for word in choices.replace(" or ", ", ").split(", ")]
    if path[-1] in _MAY_BE_NONE:
        words.append("none")
    note = _NOTES.get("tools" if path[0] == "tools" and len(path) == 2 else path[-1], "")
    if isinstance(value, WrittenInt) and value.text in words:
        return f'{value.text} is a number, expected it in quotes, "{value.text}"'
    if isinstance(value, str) and not isinstance(value, FromEnvironment) and value in words:
        return f"expected {listed(words)}, found {_shown(value)}: write it without quotes"
    if not isinstance(value, str):
        return f"expected {listed(words)}, found {_shown(value)}{note}"
    near = suggestion(value, words)
    hint = f"{near} " if near.startswith("did") and len(words) > 1 else ""
    return f"{_shown(value)} is not known, {hint}expected {listed(words)}{note}"


def _shown(value: Any) -> str:
    """Return a wrong value as the message shows it; one from the environment may be secret and is not shown."""
    match value:
        case FromEnvironment():
            return f"the value of {value.origin}"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= 40 else value[:39] + "…")
        case WrittenInt() | WrittenFloat():
            return value.text if len(value.text) <= 40 else value.text[:39] + "…"
        case int() | float():
            return str(value)
        case list():
            return "a list"
        case _:
            return "keys with values"


def _unknown_key(key: str, around: KeyPath, kind: type[Section], data: Any) -> str:
    sections = _sections(kind, around, data)
    section = functools.reduce(lambda value, part: value[part], around, data)
    beside = [other for other in _TOOL_KINDS if other != key and other in section]
    if around[:1] == ("tools",) and len(around) == 2 and key in _TOOL_KINDS and beside:
        return f"stands beside {beside[0]}, expected one of {listed(_TOOL_KINDS)}"
    if key in _NOT_SET_HERE:
        return _NOT_SET_HERE[key]
    known = sorted({name for section in sections for name in section.model_fields})
    return _misplaced(key, section, sections) or _inner(key, sections) or f"unknown key, {suggestion(key, known)}"


def _inner(key: str, sections: list[type[Section]]) -> str:
    """Name the one key beside ``key`` in whose section it belongs; return empty if none or several have such a key."""
    around = {
        name
        for section in sections
        for name in section.model_fields
        for inside in _inside(section, name)
        for inner in _leaves(inside)
        if _is_section(inner) and key in inner.model_fields
    }
    name = next(iter(around), "")
    return f"belongs to {name}, expected {name}: {{{key}: …}}" if len(around) == 1 else ""


def _misplaced(key: str, written: Mapping[str, Any], sections: list[type[Section]]) -> str:
    """Name the key above under which ``key`` belongs; return empty if no key above has such a key."""
    above = list(written)[: list(written).index(key)]
    for other in reversed(above):
        inside = [inner for section in sections for found in _inside(section, other) for inner in _leaves(found)]
        if not inside:  # an unknown key, perhaps misplaced as well
            continue
        has_key = any(_is_section(inner) and key in inner.model_fields for inner in inside)
        return f"belongs to {other}: indent it deeper than that" if has_key else ""
    return ""


def _sections(kind: type[Section], path: KeyPath, data: Any) -> list[type[Section]]:
    """Return the sections that may stand at ``path``; of several, the one that ``data`` must mean."""
    kinds: list[Any] = [kind]
    for part in path:
        kinds = [found for outer in _meant(kinds, data) for inner in _inside(outer, part) for found in _leaves(inner)]
        data = data[part]
    return [found for found in _meant(kinds, data) if _is_section(found)]


def _meant(kinds: list[Any], data: Any) -> list[Any]:
    """Return those of ``kinds`` that ``data`` shows by a key of its own or its ``type``; all if it shows none."""
    if not isinstance(data, dict):
        return kinds
    sections = [found for found in kinds if _is_section(found)]
    by_key = [found for found in sections if found.is_meant_by(data)]
    named = [found for found in sections if "type" in data and data["type"] in _types(found)]
    return by_key or named or [found for found in kinds if found not in sections or not found.own_key] or kinds


def _inside(kind: Any, part: str | int) -> tuple[Any, ...]:
    """Return the types that may stand at ``part`` of a section, a mapping or a list."""
    if _is_section(kind):
        field = kind.model_fields.get(part)
        further = kind.__annotations__.get("__pydantic_extra__")
        return (field.annotation,) if field else typing.get_args(further)[1:]
    return typing.get_args(kind)[:1] if isinstance(part, int) else typing.get_args(kind)[1:2]


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _types(section: type[Section]) -> tuple[Any, ...]:
    field = section.model_fields.get("type")
    return typing.get_args(field.annotation) if field else ()


def _leaves(annotation: Any) -> list[Any]:
    """Return the alternatives of an annotation: sections, mappings, lists."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _leaves(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [found for inner in typing.get_args(annotation) for found in _leaves(inner)]
    return [annotation] if _is_section(annotation) or origin in (tuple, Mapping) else []
