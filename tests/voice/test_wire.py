"""The Voice Live protocol, message by message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.voice import wire
from gateway.voice.commands import (
    CancelResponse,
    CommitTurn,
    CreateResponse,
    ReturnToolOutput,
    SayText,
    SendAudio,
    TruncateReply,
    VoiceCommand,
)
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    SessionReady,
    ToolCalled,
    TurnCommitted,
    UnknownEvent,
    VoiceEvent,
)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (SendAudio(b"\xff\x7f\x00"), {"type": "input_audio_buffer.append", "audio": "/38A"}),
        (CommitTurn(), {"type": "input_audio_buffer.commit"}),
        (CreateResponse(), {"type": "response.create"}),
        (CreateResponse("Greet."), {"type": "response.create", "response": {"instructions": "Greet."}}),
        (
            SayText('Hello "you"'),
            {
                "type": "response.create",
                "response": {
                    "pre_generated_assistant_message": {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "text", "text": 'Hello "you"'}],
                    }
                },
            },
        ),
        (
            CreateResponse(request_id="request-1"),
            {
                "type": "response.create",
                "event_id": "request-1",
                "response": {"metadata": {"request_id": "request-1"}},
            },
        ),
        (CancelResponse(), {"type": "response.cancel"}),
        (CancelResponse("resp_1"), {"type": "response.cancel", "response_id": "resp_1"}),
        (
            TruncateReply("item_1", 1480),
            {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1480},
        ),
        (
            ReturnToolOutput("call_1", "{}"),
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "call_1", "output": "{}"},
            },
        ),
    ],
)
def test_messages_out(command: VoiceCommand, message: dict[str, object]) -> None:
    """Each command is one client event of the API reference."""
    assert json.loads(wire.encode(command)) == message


def test_session_update_keeps_null() -> None:
    """Null and absent differ: null switches turn detection off, absent leaves it on."""
    session = {"turn_detection": None, "instructions": "x"}
    assert json.loads(wire.session_update(session)) == {
        "type": "session.update",
        "event_id": wire.SESSION_UPDATE_ID,
        "session": session,
    }


AUDIO = {"type": "response.audio.delta", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
CALL = {"id": "item_f", "type": "function_call", "name": "end_call", "call_id": "call_1", "arguments": '{ \n "a": 1}'}
DONE = {"id": "r", "status": "cancelled", "status_details": {"type": "cancelled", "reason": "turn_detected"}}
FAILED = {"id": "r", "status": "failed", "status_details": {"type": "failed", "error": {"message": "quota"}}}


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "session.updated", "session": {"id": "s", "model": "m", "new": 1}}, SessionReady("s", "m")),
        (
            {"type": "input_audio_buffer.speech_started", "audio_start_ms": 1, "item_id": "u"},
            CallerSpoke("u"),
        ),
        ({"type": "input_audio_buffer.speech_stopped", "item_id": "u"}, CallerPaused("u")),
        (
            {"type": "input_audio_buffer.committed", "previous_item_id": None, "item_id": "u"},
            TurnCommitted("u"),
        ),
        (
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": "u",
                "transcript": "Hi.",
                "language": "en-US",
            },
            CallerSaid("u", "Hi."),
        ),
        ({"type": "response.created", "response": {"id": "r", "output": None}}, ResponseStarted("r")),
        ({**AUDIO, "delta": "/38A"}, ReplyAudio("r", "i", b"\xff\x7f\x00")),
        (
            {"type": "response.audio_transcript.done", "response_id": "r", "item_id": "i", "transcript": "Hello."},
            ReplySaid("r", "i", "Hello."),
        ),
        ({"type": "response.audio.done", "response_id": "r", "item_id": "i"}, ReplyComplete("r", "i")),
        (
            {"type": "response.output_item.done", "response_id": "r", "item": CALL},
            ToolCalled("r", "call_1", "end_call", '{ \n "a": 1}'),
        ),
        ({"type": "response.done", "response": DONE}, ResponseEnded("r", ResponseStatus.CANCELLED, "turn_detected")),
        ({"type": "response.done", "response": FAILED}, ResponseEnded("r", ResponseStatus.FAILED, "quota")),
        (
            {"type": "response.done", "response": {"id": "r", "status": "odd"}},
            ResponseEnded("r", ResponseStatus.FAILED, "status odd: "),
        ),
        (
            {"type": "response.created", "response": {"id": "r", "metadata": {"request_id": "request-1"}}},
            ResponseStarted("r", "request-1"),
        ),
        (
            {"type": "error", "error": {"type": "t", "code": "c", "message": "m", "event_id": "e"}},
            ServiceError("c", "m", "e"),
        ),
        ({"type": "warning", "warning": {"code": "c", "message": "m", "param": None}}, ServiceWarning("c", "m")),
        ({"type": "rate_limits.updated"}, UnknownEvent("rate_limits.updated")),
    ],
)
def test_messages_in(message: dict[str, object], event: VoiceEvent) -> None:
    """Each server event that matters is one event, with members that the SDK's models do not know left alone."""
    assert list(wire.decode(json.dumps({"event_id": "event_1", **message}))) == [event]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "session.created", "session": {}},
        {"type": "response.audio_transcript.delta", "delta": " word"},
        {"type": "response.output_item.done", "response_id": "r", "item": {"id": "i", "type": "message"}},
        {"type": "response.output_item.done", "response_id": "r", "item": {**CALL, "status": "incomplete"}},
    ],
)
def test_known_messages_that_tell_nothing(message: dict[str, object]) -> None:
    """The protocol's own messages that the gateway does not act on are not counted as unknown."""
    assert wire.decode(json.dumps(message)) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("null", "expected a JSON object"),
        ("[]", "expected a JSON object"),
        ("{}", "without a type"),
        ('{"type":7}', "without a type"),
        ('{"type":"response.audio.delta"}', "lacks 'delta'"),
        (json.dumps({**AUDIO, "delta": "*"}), "not base64"),
        (json.dumps({**AUDIO, "delta": 7}), "expected text"),
        ('{"x":' + "[" * 30_000, "not JSON"),
        ('{"type":"response.created","response":"r"}', "response.created: "),
        ('{"type":"error","error":null}', "error: "),
    ],
)
def test_broken_messages(text: str, says: str) -> None:
    """What breaks the protocol is a WireError that names the message and the member."""
    with pytest.raises(WireError, match=says):
        wire.decode(text)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KINDS = [*wire._READERS, "session.created", "odd"]
MEMBERS = ["session", "item_id", "response", "delta", "response_id", "item", "error", "warning", "transcript"]


@given(
    st.binary(max_size=100)
    | st.text(max_size=100)
    | st.builds(
        lambda kind, members: json.dumps({"type": kind, **members}),
        st.sampled_from(KINDS),
        st.dictionaries(st.sampled_from(MEMBERS), values),
    )
)
def test_anything_in_is_events_or_a_wire_error(text: str | bytes) -> None:
    """The service cannot make the codec fail in any other way."""
    try:
        wire.decode(text)
    except WireError as error:
        assert str(error)
