"""What is made of the service's messages where members are empty, absent or long."""

import json
from typing import Any

import pytest
from azure.ai.voicelive import models

from gateway.errors import WireError
from gateway.voice import wire
from gateway.voice.commands import SayText
from gateway.voice.events import (
    CallerSaid,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    SessionReady,
    ToolCalled,
    TranscriptionFailed,
    UnknownEvent,
    VoiceEvent,
    WordSpoken,
)

TRANSCRIPTION = "conversation.item.input_audio_transcription"


def read(message: dict[str, Any]) -> list[VoiceEvent]:
    """Return what a message tells."""
    return list(wire.decode(json.dumps(message)))


def test_words_of_a_reply() -> None:
    """A piece of its text, and the end of a word in its audio; a time that is no whole number breaks the protocol."""
    where = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    assert read({"type": "response.audio_transcript.delta", **where, "delta": " the"}) == [ReplyText("r", "i", " the")]
    times = {"audio_offset_ms": 420, "audio_duration_ms": 180, "text": "there", "timestamp_type": "word"}
    assert read({"type": "response.audio_timestamp.delta", **where, **times}) == [WordSpoken("r", "i", "there", 600)]
    with pytest.raises(WireError, match="end of a word is float, expected whole milliseconds"):
        read({"type": "response.audio_timestamp.delta", **where, **times, "audio_offset_ms": 0.5})


@pytest.mark.parametrize("nothing", [{}, {"id": None, "model": None, "code": None, "message": None, "type": None}])
def test_what_the_service_leaves_out_is_empty_text(nothing: dict[str, Any]) -> None:
    """Null and absent are the same, and neither is the word ``None``."""
    assert read({"type": "session.updated", "session": nothing}) == [SessionReady("", "")]
    assert read({"type": "error", "error": nothing}) == [ServiceError("", "", "")]
    assert read({"type": "warning", "warning": nothing}) == [ServiceWarning("", "")]
    failed = {"type": f"{TRANSCRIPTION}.failed", "item_id": "u", "error": nothing}
    assert read(failed) == [TranscriptionFailed("u", "", "")]
    assert read({"type": f"{TRANSCRIPTION}.completed", "item_id": "u", "transcript": None}) == [CallerSaid("u", "")]
    said = {"type": "response.audio_transcript.done", "response_id": "r", "item_id": "i", "transcript": None}
    assert read(said) == [ReplySaid("r", "i", "")]
    assert read({"type": "response.created", "response": {"id": "r", "metadata": nothing}}) == [ResponseStarted("r")]
    call = {**nothing, "type": "function_call", "call_id": "c", "name": "n"}
    assert read({"type": "response.output_item.done", "response_id": "r", "item": call}) == [
        ToolCalled("r", "c", "n", "")
    ]
    ended = {"id": "r", "status": "completed", "status_details": nothing}
    assert read({"type": "response.done", "response": ended}) == [ResponseEnded("r", ResponseStatus.COMPLETED, "")]


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"error": {"message": "words", "code": "c"}, "reason": "why"}, "words"),
        ({"error": {"code": "c"}, "reason": "why"}, "c"),
        ({"error": {}, "reason": "why"}, "why"),
        ({"error": None, "reason": "why"}, "why"),
        ({"reason": "why"}, "why"),
        ({"type": "failed"}, ""),
        (None, ""),
    ],
)
def test_why_a_response_ended(details: dict[str, Any] | None, told: str) -> None:
    """The error's words, else its code, else the reason."""
    for status in ResponseStatus:
        ended = {"id": "r", "status": status.value, "status_details": details}
        assert read({"type": "response.done", "response": ended}) == [ResponseEnded("r", status, told)]
    odd = {"id": "r", "status": "odd", "status_details": details}
    assert read({"type": "response.done", "response": odd}) == [
        ResponseEnded("r", ResponseStatus.FAILED, f"status odd: {told}")
    ]


def test_an_error_without_a_code_is_named_by_its_type() -> None:
    """As the reference has both, and fills only one of them at times."""
    error = {"type": "server_error", "code": None, "message": "m", "event_id": None}
    assert read({"type": "error", "error": error}) == [ServiceError("server_error", "m", "")]
    failed = {"type": f"{TRANSCRIPTION}.failed", "item_id": "u", "error": {"type": "transcription_error"}}
    assert read(failed) == [TranscriptionFailed("u", "transcription_error", "")]


def test_what_is_said_word_for_word_has_the_request_s_id_too() -> None:
    """An error brings back the event's id, ``response.created`` the metadata."""
    message = json.loads(wire.encode(SayText("Hello", "request-1")))
    assert message["event_id"] == "request-1"
    assert message["response"]["metadata"] == {"request_id": "request-1"}
    assert message["response"]["pre_generated_assistant_message"]["content"] == [{"type": "text", "text": "Hello"}]


def test_an_unknown_kind_is_cut() -> None:
    """It goes into a metric and the log."""
    assert read({"type": "k" * 61}) == [UnknownEvent("k" * 60)]


def test_every_kind_of_the_sdk_is_known() -> None:
    """What the gateway does not act on is not counted as unknown; whatever else is wrong with it is told."""
    for kind in models.ServerEventType:
        try:
            events = read({"type": kind.value})
        except WireError as error:
            assert str(error).startswith(kind.value)
        else:
            assert events == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "expected a JSON object, got list"),
        ("{}", "a message without a type"),
        ('{"type":"response.audio.delta","response_id":"r","item_id":"i"}', "response.audio.delta lacks 'delta'"),
        (
            '{"type":"response.audio.delta","response_id":"r","item_id":"i","delta":"*"}',
            "response.audio.delta: delta is not base64: Non-base64 digit found",
        ),
        (
            '{"type":"response.audio.done","response_id":"r","item_id":7}',
            "response.audio.done: item_id is int, expected text",
        ),
    ],
)
def test_a_broken_message_is_told_in_these_words(text: str, says: str) -> None:
    """They go into the log and the metric's detail, whole."""
    with pytest.raises(WireError) as caught:
        wire.decode(text)
    assert str(caught.value) == says
