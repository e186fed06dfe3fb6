"""The members that server events may have: those of the SDK's models and of the emulator's own events."""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import get_annotations
from typing import Any, cast

from azure.ai.voicelive import models

from gateway.sim.emulator.dialect import NEWER
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.settings import ECHOED_SEMANTIC_KEYS
from gateway.sim.emulator.speaking.usage import usage
from gateway.tape.rules import PRIVATE

Model = MutableMapping[str, Any]
"""The type that every model of the SDK has."""
_UNIONS = "azure.ai.voicelive._unions"
"""The SDK's module of annotations that name several models. Without it their members are those of the emulator."""
API_VERSION = "2026-07-15"
_MODELS = ("gpt-4.1", "gpt-realtime")
"""One of each class of engine: what sessions look like depends on it."""
_DOCUMENTED: Mapping[str, Any] = {
    "conversation.item.input_audio_transcription.completed": {"language": None},
    "conversation.item.input_audio_transcription.failed": {"error": {"event_id": None}},
}
"""Members that recordings of the service have, and neither the SDK nor the emulator's settings name."""

_EVENTS: Mapping[str, type[Model]] = cast(Mapping[str, type[Model]], models.ServerEvent.__mapping__)
"""The models of server events by their kind; the SDK declares models where it keeps their classes."""
SERVER_TYPES: frozenset[str] = frozenset(_EVENTS) | frozenset(str(kind.value) for kind in models.ServerEventType)
"""The kinds of server events that the SDK knows."""
_OLDER = {newer: name for name, newer in NEWER.items()}
_DONE = "conversation.item.done"
"""A kind of the newer names alone; its members are those of a created item."""


def kind_of_event(event: Mapping[str, Any]) -> str:
    """Return the kind of a server event, by Voice Live's name also where the event has a newer one of OpenAI's."""
    kind = str(event.get("type", ""))
    return _OLDER.get(kind, kind)


def is_known(kind: str) -> bool:
    """Return whether there is such a kind in one of both protocols."""
    return kind in SERVER_TYPES or kind == _DONE


def unknown_members(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of an event's members that neither the SDK nor the emulator knows; none of an unknown kind."""
    kind = kind_of_event(event)
    model = _EVENTS.get("conversation.item.created" if kind == _DONE else kind)
    if model is not None:
        yield from _unknown(event, frozenset({model}), _emulated().get(kind), "")


def _unknown(value: Any, classes: frozenset[type[Model]], emulated: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _unknown(each, classes, emulated, f"{path}[]")
    elif isinstance(value, Mapping) and (classes or isinstance(emulated, Mapping)):
        fields = _fields(classes)
        more = emulated if isinstance(emulated, Mapping) else {}
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            if name not in fields and name not in more:
                yield where
            elif name.lower() not in PRIVATE:
                yield from _unknown(inner, fields.get(name, frozenset()), more.get(name), where)


@cache
def _fields(classes: frozenset[type[Model]]) -> dict[str, frozenset[type[Model]]]:
    """Return the members of models and of all that stand below them, each with the models that its value may be."""
    found: dict[str, frozenset[type[Model]]] = {}
    for model in _with_kinds(classes):
        for parent in model.__mro__:
            for name, annotation in get_annotations(parent).items():
                if not name.startswith("_"):
                    found[name] = found.get(name, frozenset()) | _models_in(annotation)
    return found


def _with_kinds(classes: frozenset[type[Model]]) -> set[type[Model]]:
    """Return models with those that a discriminator chooses among."""
    found: set[type[Model]] = set()
    for model in classes:
        found.add(model)
        kinds = {kind for kind in model.__dict__.get("__mapping__", {}).values() if isinstance(kind, type)}
        found |= _with_kinds(frozenset(kinds - {model}))
    return found


def _models_in(annotation: object) -> frozenset[type[Model]]:
    """Return the models that an annotation names; the SDK writes them as references to its own modules."""
    text = repr(annotation)
    found: set[type[Model]] = set()
    unions = import_module(_UNIONS) if find_spec(_UNIONS) else None
    for name in re.findall(r"_unions\.(\w+)", text):
        found |= _models_in(getattr(unions, name, None))
    for name in re.findall(r"_models\.(\w+)", text):
        model = getattr(models, name, None)
        if isinstance(model, type) and issubclass(model, MutableMapping):
            found.add(model)
    return frozenset(found)


@cache
def _emulated() -> dict[str, Any]:
    """Return what the emulator's events have, as nested members, for the kinds that it makes from whole objects."""
    session: dict[str, Any] = {}
    for name in _MODELS:
        _merge(session, Engine.of(name, API_VERSION).new_session(None))
    _merge(session, {"turn_detection": ECHOED_SEMANTIC_KEYS})
    response = {"response": {"usage": usage((), ()), "object": None}}
    return {
        "session.created": {"session": session},
        "session.updated": {"session": session},
        "response.created": response,
        "response.done": response,
        **_DOCUMENTED,
    }


def _merge(into: dict[str, Any], members: Mapping[str, Any]) -> None:
    for name, value in members.items():
        if isinstance(value, Mapping):
            inner = into.setdefault(name, {})
            if isinstance(inner, dict):
                _merge(inner, value)
            else:
                into[name] = dict(value)
        else:
            into.setdefault(name, value)
