"""The names of server events: those of Voice Live, or those of OpenAI's general availability.

Voice Live kept the names of the OpenAI beta. A later version of its API may speak the newer ones (drafts of its
specification); the order of ``conversation.item.done`` among them is unconfirmed.
"""

from collections.abc import Iterator
from typing import Any, Literal

from gateway.sim.emulator.ids import event_id
from gateway.sim.emulator.record import Event

DialectName = Literal["voice_live", "ga"]
NEWER = {
    **{f"response.text.{end}": f"response.output_text.{end}" for end in ("delta", "done")},
    **{f"response.audio.{end}": f"response.output_audio.{end}" for end in ("delta", "done")},
    **{f"response.audio_transcript.{end}": f"response.output_audio_transcript.{end}" for end in ("delta", "done")},
    "conversation.item.created": "conversation.item.added",
}
"""The newer name of each kind that has one."""
_NEWER_PARTS = {"text": "output_text", "audio": "output_audio"}
_OPEN = ("in_progress", "incomplete")


def dialect_of(name: DialectName | None, api_version: str) -> DialectName:
    """Return the dialect by its name or, without one, by the version: dated versions speak Voice Live's."""
    return name or ("ga" if api_version.startswith("v") else "voice_live")


def in_ga(event: Event) -> Iterator[Event]:
    """Yield an event as a server of the newer names sends it; an item that is whole is reported a second time."""
    kind = event["type"]
    if kind == "conversation.item.done":  # which follows its item below
        return
    newer = _newer_parts({**event, "type": NEWER.get(kind, kind)})
    yield newer
    item = newer.get("item") or {}
    whole = kind == "conversation.item.created" and item.get("status") not in _OPEN
    if whole or kind == "response.output_item.done":
        yield {"event_id": event_id(), "type": "conversation.item.done", "item": item}


def _newer_parts(event: Event) -> Event:
    changed = dict(event)
    if isinstance(part := event.get("part"), dict):
        changed["part"] = _part(part)
    if isinstance(item := event.get("item"), dict):
        changed["item"] = _item(item)
    response = event.get("response")
    if isinstance(response, dict) and response.get("output"):
        changed["response"] = {**response, "output": [_item(item) for item in response["output"]]}
    return changed


def _item(item: Event) -> Event:
    if item.get("role") != "assistant" or not item.get("content"):
        return item
    return {**item, "content": [_part(part) for part in item["content"]]}


def _part(part: Event) -> dict[str, Any]:
    return {**part, "type": _NEWER_PARTS.get(part["type"], part["type"])}
