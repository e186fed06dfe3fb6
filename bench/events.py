"""The simulated service's messages, key for key as recorded from Voice Live with a text model and an Azure voice."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from bench.websocket import frame

SESSION: dict[str, Any] = {
    "id": "sess_0000000000000000000000",
    "model": "gpt-4.1",
    "modalities": ["audio", "text"],
    "instructions": "You are a speech chat assistant.",
    "voice": {"name": "en-US-AvaNeural", "type": "azure-standard", "temperature": None},
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"model": "azure-speech", "language": None},
    "input_audio_noise_reduction": None,
    "turn_detection": {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 400, "silence_duration_ms": 500},
    "tools": [],
    "tool_choice": "auto",
    "temperature": 0.8,
    "max_response_output_tokens": "inf",
    "expires_at": 4102444800,
    "object": "realtime.session",
    "input_audio_sampling_rate": 24000,
    "truncation_strategy": None,
}
WORDS = (
    "Your",
    " table",
    " for",
    " four",
    " is",
    " booked",
    " for",
    " seven",
    " tonight",
    ".",
    " Any",
    "thing",
    " else",
    "?",
)
TRANSCRIPT = "".join(WORDS)

_CALL = (
    b'{"id":"%b","object":"realtime.item","type":"function_call","status":"%b","name":"%b","call_id":"%b",'
    b'"arguments":"%b"}'
)
_ARGUMENTS = rb"{  \n  \"number\": \"42\" \n} \n"  # the white space is the model's
_WHERE = b'"response_id":"%b","item_id":"%b","output_index":0,"content_index":0'
_ITEM = b'{"id":"%b","object":"realtime.item","type":"message","status":"%b","role":"assistant","content":[%b]}'
_SPOKEN = b'{"type":"audio","transcript":"%b"}' % TRANSCRIPT.encode()
_USAGE = (
    b'{"total_tokens":111,"input_tokens":46,"output_tokens":65,"input_token_details":{"cached_tokens":0,'
    b'"cache_write_tokens":0,"text_tokens":17,"audio_tokens":29,"image_tokens":0,"cached_tokens_details":'
    b'{"text_tokens":0,"audio_tokens":0,"image_tokens":0}},"output_token_details":{"text_tokens":8,'
    b'"audio_tokens":57,"reasoning_tokens":0}}'
)
_RESPONSE = (
    b'{"object":"realtime.response","id":"%b","status":"%b","status_details":%b,"output":[%b],"usage":%b,'
    b'"conversation_id":"","modalities":["audio","text"],"voice":{"name":"en-US-AvaNeural","type":"azure-standard"},'
    b'"output_audio_format":"g711_ulaw","temperature":0.8,"max_output_tokens":null,"metadata":null}'
)
_TURN_DETECTED = b'{"type":"cancelled","reason":"turn_detected"}'
_count = 0


class FunctionCall(NamedTuple):
    """A function call of the model: one item of a response."""

    item: bytes
    name: bytes
    call_id: bytes


def event(kind: bytes, body: bytes) -> bytes:
    """Build one event as a frame, with a new id."""
    global _count  # noqa: PLW0603 -- ids are unique over all sessions of the process
    _count += 1
    return frame(b'{"event_id":"event_%022d","type":"%b",%b}' % (_count, kind, body), masked=False)


def session_event(kind: bytes, session: dict[str, Any]) -> bytes:
    """Build ``session.created`` or ``session.updated``."""
    return event(kind, b'"session":' + json.dumps(session, separators=(",", ":")).encode())


def speech_started(item: bytes, at_ms: int) -> bytes:
    """Build the event that the service has heard the caller."""
    return event(b"input_audio_buffer.speech_started", b'"audio_start_ms":%d,"item_id":"%b"' % (at_ms, item))


def caller_turn(item: bytes, at_ms: int, previous: bytes) -> bytes:
    """Build the events at the end of the caller's turn, which the service sends at once."""
    return event(b"input_audio_buffer.speech_stopped", b'"audio_end_ms":%d,"item_id":"%b"' % (at_ms, item)) + event(
        b"input_audio_buffer.committed", b'"previous_item_id":%b,"item_id":"%b"' % (previous, item)
    )


def transcribed(item: bytes) -> bytes:
    """Build the events with the caller's transcript, and the item that the turn became."""
    words = b"A table for four at seven, please."
    return event(
        b"conversation.item.input_audio_transcription.completed",
        b'"item_id":"%b","content_index":0,"transcript":"%b","language":"en-US"' % (item, words),
    ) + event(
        b"conversation.item.created",
        b'"previous_item_id":null,"item":{"id":"%b","object":"realtime.item","type":"message","status":"completed",'
        b'"role":"user","content":[{"type":"input_audio","transcript":"%b"}]}' % (item, words),
    )


def response_created(response: bytes) -> bytes:
    """Build the event that a response has begun."""
    return event(b"response.created", b'"response":' + _RESPONSE % (response, b"in_progress", b"null", b"", b"null"))


def item_added(response: bytes, item: bytes) -> bytes:
    """Build the events of the response's one item and its one part."""
    whole = _ITEM % (item, b"incomplete", b"")
    return (
        event(b"response.output_item.added", b'"response_id":"%b","output_index":0,"item":%b' % (response, whole))
        + event(b"conversation.item.created", b'"previous_item_id":null,"item":%b' % whole)
        + event(
            b"response.content_part.added",
            _WHERE % (response, item) + b',"part":{"type":"audio","transcript":""}',
        )
    )


def words(response: bytes, item: bytes, start: int, stop: int) -> bytes:
    """Build the events of the spoken tokens ``start`` to ``stop``, one event each."""
    where = _WHERE % (response, item)
    return b"".join(
        event(b"response.audio_transcript.delta", where + b',"delta":"%b"' % word.encode())
        for word in WORDS[start:stop]
    )


def audio(response: bytes, item: bytes, text: bytes) -> bytes:
    """Build a delta of audio that is base64 already."""
    return event(b"response.audio.delta", _WHERE % (response, item) + b',"delta":"' + text + b'"')


def response_ended(response: bytes, item: bytes) -> bytes:
    """Build the burst that closes a response with its last audio."""
    where = _WHERE % (response, item)
    whole = _ITEM % (item, b"completed", _SPOKEN)
    return (
        event(b"response.audio.done", where)
        + event(b"response.audio_transcript.done", where + b',"transcript":"%b"' % TRANSCRIPT.encode())
        + event(b"response.content_part.done", where + b',"part":' + _SPOKEN)
        + event(b"response.output_item.done", b'"response_id":"%b","output_index":0,"item":%b' % (response, whole))
        + event(b"response.done", b'"response":' + _RESPONSE % (response, b"completed", b"null", whole, _USAGE))
    )


def function_called(response: bytes, index: int, call: FunctionCall) -> bytes:
    """Build the events of the response's item ``index``, a function call, from the first to the last."""
    item, name, call_id = call
    begun = _CALL % (item, b"in_progress", name, call_id, b"")
    whole = _CALL % (item, b"completed", name, call_id, _ARGUMENTS)
    where = b'"response_id":"%b","output_index":%d,' % (response, index)
    arguments = b'"item_id":"%b","call_id":"%b","name":"%b","arguments":"%b"' % (item, call_id, name, _ARGUMENTS)
    return (
        event(b"response.output_item.added", where + b'"item":' + begun)
        + event(b"conversation.item.created", b'"previous_item_id":null,"item":' + begun)
        + event(b"response.function_call_arguments.done", where + arguments)
        + event(b"response.output_item.done", where + b'"item":' + whole)
    )


def calls_ended(response: bytes, calls: Sequence[FunctionCall]) -> bytes:
    """Build the end of a response that was nothing but function calls."""
    items = b",".join(_CALL % (call.item, b"completed", call.name, call.call_id, _ARGUMENTS) for call in calls)
    return event(b"response.done", b'"response":' + _RESPONSE % (response, b"completed", b"null", items, _USAGE))


def output_created(output: dict[str, Any]) -> bytes:
    """Build the event that the output of a function has become part of the conversation."""
    whole = {"id": f"item_{output['call_id']}", "object": "realtime.item", **output}
    return event(
        b"conversation.item.created",
        b'"previous_item_id":null,"item":' + json.dumps(whole, separators=(",", ":")).encode(),
    )


def response_cancelled(response: bytes, item: bytes) -> bytes:
    """Build the end of a response that the caller's speech cancelled."""
    whole = _ITEM % (item, b"incomplete", b"")
    return event(b"response.done", b'"response":' + _RESPONSE % (response, b"cancelled", _TURN_DETECTED, whole, _USAGE))


def truncated(item: str, at_ms: int) -> bytes:
    """Build the answer to ``conversation.item.truncate``."""
    return event(
        b"conversation.item.truncated",
        b'"item_id":"%b","content_index":0,"audio_end_ms":%d' % (item.encode(), at_ms),
    )


def error(code: bytes, message: bytes, client_event: object) -> bytes:
    """Build the error that rejects one client event; the session goes on."""
    return event(
        b"error",
        b'"error":{"type":"invalid_request_error","code":"%b","message":"%b","param":null,"event_id":%b}'
        % (code, message, json.dumps(client_event).encode()),
    )
