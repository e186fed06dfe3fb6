"""Redacts HTTP messages: headers, and bodies that are forms, JSON or XML. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as Xml

from gateway.tape import rules
from gateway.tape.fakes import secret
from gateway.tape.redaction import Redaction

FIELDS = 200


def headers(redaction: Redaction, given: Mapping[str, str]) -> dict[str, str]:
    """Return headers with names in lower case; of most of them only the length is kept, of ids a fake."""
    shown = {}
    for name, value in given.items():
        low = name.lower()
        if low in rules.HEADERS:
            shown[low] = redaction.verbatim(value)
        elif low.endswith("-id") and not rules.SECRETS.search(low):
            shown[low] = redaction.text(value, "id")
        else:
            shown[low] = value if value.startswith("$") else secret(value)
    return shown


def body(redaction: Redaction, content: bytes, content_type: str) -> dict[str, Any]:
    """Return a body under the name of its kind: ``form``, ``json``, ``xml``, ``text``; nothing for an empty one."""
    if not content:
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return {"text": redaction.fakes.text(content.hex())}
    if kind == "application/x-www-form-urlencoded":
        return {"form": form(redaction, parse_qsl(text, keep_blank_values=True)[:FIELDS])}
    if text.lstrip().startswith(("{", "[")):
        try:
            return {"json": redaction.value(json.loads(text))}
        except (ValueError, RecursionError):
            return {"text": redaction.fakes.text(text)}
    if text.lstrip().startswith("<"):
        return {"xml": xml(redaction, text)}
    return {"text": redaction.verbatim(text) if len(text) < FIELDS else redaction.fakes.text(text)}


def form(redaction: Redaction, fields: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the fields of a form, each by its name; a document among them as XML."""
    return [
        [name, xml(redaction, value) if value.lstrip().startswith("<") else redaction.text(value, name)]
        for name, value in fields
    ]


def xml(redaction: Redaction, text: str) -> str:
    """Return a document with its elements and attributes, and redacted texts in them."""
    try:
        root = Xml.fromstring(text)  # noqa: S314 -- a document of ours, or a provider's answer of limited size
    except Xml.ParseError:
        return redaction.fakes.text(text)
    for element in root.iter():
        named = element.get("name") or element.tag
        for name, value in element.attrib.items():
            is_name = name == "name"
            shown = redaction.name(value) if is_name else redaction.text(value, named if name == "value" else name)
            element.attrib[name] = shown
        for part in ("text", "tail"):
            if inner := (getattr(element, part) or "").strip():
                is_words = part == "tail" or element.tag in ("Say", "Speak", "SpeakSentence")
                setattr(element, part, redaction.text(inner, "text" if is_words else element.tag))
    return Xml.tostring(root, "unicode")
