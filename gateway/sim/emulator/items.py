"""Items that a client creates: which ones are accepted, and how the service shows them."""

from collections.abc import Callable
from typing import Any

from gateway.sim.emulator.history import History
from gateway.sim.emulator.ids import new_id
from gateway.sim.emulator.record import Event, Rejected
from gateway.sim.emulator.settings.old_names import image_keys

_PARTS = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text", "text"),
}


def created_item(
    item: object, history: History, *, native: bool, api_version: str, asked: Callable[[object], bool]
) -> Event:
    """Return the ``item`` of a ``conversation.item.create`` as the conversation keeps it, or raise :class:`Rejected`.

    ``asked`` returns whether an approval request with that id waits for its answer.
    """
    if not isinstance(item, dict):
        raise Rejected("Missing required parameter: 'item'.", code="missing_required_parameter", param="item")
    item_id = _text(item, "id") if item.get("id") is not None else new_id("item", native=native)
    shown: Event = {"id": item_id, "object": "realtime.item", "type": item.get("type"), "status": "completed"}
    match item.get("type"):
        case "message":
            return {**shown, "role": item.get("role"), "content": _content(item, api_version)}
        case "function_call_output":
            return {**shown, **_output(item, history)}
        case "function_call":
            given = {key: _text(item, key) for key in ("name", "call_id", "arguments")}
            return {**shown, **given}
        case "mcp_approval_response":
            return {**shown, **_approval(item, asked)}
    raise _invalid("item.type", f"{item.get('type')!r} is not supported.")


def _content(item: Event, api_version: str) -> list[Event]:
    allowed = _PARTS.get(str(item.get("role")))
    if allowed is None:
        raise _invalid("item.role", f"expected one of {', '.join(_PARTS)}.")
    content = item.get("content")
    if not isinstance(content, list) or not content:
        raise _invalid("item.content", "expected a list of content parts.")
    parts = [_part(part, index, allowed) for index, part in enumerate(content)]
    for index, part in enumerate(parts):
        if part["type"] == "input_image":
            _check_image(part, index, api_version)
    return parts


def _check_image(part: Event, index: int, api_version: str) -> None:
    keys = image_keys(api_version)
    if not any(isinstance(part.get(key), str) for key in keys):
        raise _invalid(f"item.content[{index}].{keys[0]}", "expected a string.")


def _part(part: Any, index: int, allowed: tuple[str, ...]) -> Event:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in allowed:
        raise _invalid(f"item.content[{index}].type", f"expected one of {', '.join(allowed)}.")
    match kind:
        case "output_text" | "text":
            return {"type": "text", "text": _text(part, "text")}
        case "input_text":
            return {"type": "input_text", "text": _text(part, "text")}
    if part.get("transcript") is not None:
        _text(part, "transcript")
    return {key: value for key, value in part.items() if key != "audio"}


def _output(item: Event, history: History) -> Event:
    call_id = _text(item, "call_id")
    if not any(call_id == known.get("call_id") and known["type"] == "function_call" for known in history.items):
        raise Rejected(
            f"Tool call ID '{call_id}' not found in conversation.",
            code="invalid_tool_call_id",
            param="item.call_id",
        )
    return {"call_id": call_id, "output": _text(item, "output")}


def _approval(item: Event, asked: Callable[[object], bool]) -> Event:
    request_id = _text(item, "approval_request_id")
    if not isinstance(item.get("approve"), bool):
        raise _invalid("item.approve", "expected true or false.")
    if not asked(request_id):
        raise Rejected(
            f"Approval request '{request_id}' not found, or answered already.",
            code="invalid_approval_request_id",
            param="item.approval_request_id",
        )
    reason = {"reason": _text(item, "reason")} if item.get("reason") is not None else {}
    return {"approval_request_id": request_id, "approve": item["approve"], **reason}


def _text(body: Event, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise _invalid(f"item.{key}", "expected a string.")
    return value


def _invalid(param: str, message: str) -> Rejected:
    return Rejected(f"Invalid value for '{param}': {message}", code="invalid_value", param=param)
