from typing import Any

import pytest

from gateway.tape.report.service_model import SERVER_TYPES, unknown_members


def unknown(event: dict[str, Any]) -> list[str]:
    """The members that nobody knows."""
    return list(unknown_members(event))


@pytest.mark.parametrize(
    "event",
    [
        {
            "type": "session.created",
            "event_id": "e",
            "session": {"id": "s", "object": "realtime.session", "greeting": None},
        },
        {
            "type": "session.updated",
            "session": {"turn_detection": {"type": "azure_semantic_vad", "idle_timeout_ms": 1}},
        },
        {"type": "session.updated", "session": {"metadata": {"anything": "goes"}}},
        {"type": "response.done", "response": {"usage": {"input_token_details": {"cache_write_tokens": 0}}}},
        {"type": "response.output_item.done", "item": {"type": "function_call", "call_id": "c", "arguments": "{}"}},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "i", "language": "en"},
        {"type": "error", "error": {"type": "t", "code": None, "message": "m", "param": None, "event_id": None}},
    ],
)
def test_what_the_sdk_and_the_emulator_have_is_known(event: dict[str, Any]) -> None:
    """Deep inside too, and for each kind of an item or a turn detection."""
    assert unknown(event) == []


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"type": "session.updated", "session": {"mood": 1}}, "session.mood"),
        ({"type": "session.updated", "session": {"voice": {"mood": 1}}}, "session.voice.mood"),
        ({"type": "response.done", "response": {"output": [{"type": "message", "mood": 1}]}}, "response.output[].mood"),
        ({"type": "error", "error": {"mood": 1}}, "error.mood"),
        ({"type": "response.audio.delta", "mood": 1}, "mood"),
    ],
)
def test_a_new_member_is_not(event: dict[str, Any], path: str) -> None:
    """By its path."""
    assert unknown(event) == [path]


def test_of_an_unknown_kind_no_member_is_judged() -> None:
    """The kind itself is the finding."""
    assert unknown({"type": "brand.new", "mood": 1}) == []
    assert "response.audio.delta" in SERVER_TYPES
    assert "brand.new" not in SERVER_TYPES
