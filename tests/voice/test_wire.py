"""The Voice Live protocol, message by message."""

import json

import pytest
from azure.ai.voicelive import models
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.voice import wire
from gateway.voice.commands import (
    AddMessage,
    AnswerApproval,
    CancelResponse,
    CommitTurn,
    CreateResponse,
    DeleteItem,
    ReturnToolOutput,
    SayText,
    SeedCall,
    SeedMessage,
    SeedOutput,
    SendAudio,
    SetTurnDetection,
    TruncateReply,
    VoiceCommand,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPartlySaid,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    SessionReady,
    Tokens,
    ToolCalled,
    ToolsListed,
    ToolsRequested,
    TranscriptionFailed,
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
        (
            CreateResponse("Hm.", "request-1", labelled=False),
            {"type": "response.create", "event_id": "request-1", "response": {"instructions": "Hm."}},
        ),
        (CancelResponse(), {"type": "response.cancel"}),
        (CancelResponse("resp_1"), {"type": "response.cancel", "response_id": "resp_1"}),
        (
            TruncateReply("item_1", 1480),
            {
                "type": "conversation.item.truncate",
                "event_id": "truncate-item_1",
                "item_id": "item_1",
                "content_index": 0,
                "audio_end_ms": 1480,
            },
        ),
        (DeleteItem("item_1"), {"type": "conversation.item.delete", "item_id": "item_1"}),
        (
            SetTurnDetection({"type": "server_vad", "threshold": 0.5}),
            {
                "type": "session.update",
                "event_id": "turn_detection",
                "session": {"turn_detection": {"type": "server_vad", "threshold": 0.5}},
            },
        ),
        (
            ReturnToolOutput("call_1", "{}"),
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "call_1", "output": "{}"},
            },
        ),
        (
            AddMessage("user", "1234"),
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "1234"}]},
            },
        ),
        *(
            (command, {"type": "conversation.item.create", "item": item})
            for command, item in (
                (
                    SeedMessage("assistant", "1"),
                    {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "1"}]},
                ),
                (SeedCall("c", "f", "{}"), {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}),
                (SeedOutput("c", "{}"), {"type": "function_call_output", "call_id": "c", "output": "{}"}),
            )
        ),
        (
            AddMessage("system", "Be brief."),
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be brief."}]},
            },
        ),
        (
            AddMessage("assistant", "Hello."),
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hello."}]},
            },
        ),
        (
            AnswerApproval("mcpr_1", approved=False),
            {
                "type": "conversation.item.create",
                "item": {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False},
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
LISTING = {"id": "mcpl_1", "object": "realtime.item", "type": "mcp_list_tools", "server_label": "crm", "tools": []}
MCP_CALL = {
    "id": "mcp_1",
    "object": "realtime.item",
    "type": "mcp_call",
    "server_label": "crm",
    "name": "get_customer",
    "arguments": '{"phone": "+12065550123"}',
}
APPROVAL = {
    "id": "mcpr_1",
    "type": "mcp_approval_request",
    "server_label": "crm",
    "name": "get_customer",
    "arguments": '{"id":7}',
}
FAILED = {"id": "r", "status": "failed", "status_details": {"type": "failed", "error": {"message": "quota"}}}


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "session.updated", "session": {"id": "s", "model": "m", "new": 1}}, SessionReady("s", "m")),
        (
            {"type": "session.updated", "session": {"id": "s", "model": "", "agent": {"thread_id": "conv_1"}}},
            SessionReady("s", "", conversation_id="conv_1"),
        ),
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
        (
            {
                "type": "conversation.item.input_audio_transcription.delta",
                "item_id": "u",
                "content_index": 0,
                "delta": "Hi",
            },
            CallerPartlySaid("u", "Hi"),
        ),
        (
            {
                "type": "conversation.item.input_audio_transcription.failed",
                "item_id": "u",
                "content_index": 0,
                "error": {"type": "transcription_error", "code": "audio_unintelligible", "message": "Pardon?"},
            },
            TranscriptionFailed("u", "audio_unintelligible", "Pardon?"),
        ),
        (
            {"type": "conversation.item.input_audio_transcription.failed", "item_id": "u", "error": None},
            TranscriptionFailed("u"),
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
        (
            {"type": "conversation.item.created", "previous_item_id": None, "item": LISTING},
            ToolsRequested("mcpl_1", "crm"),
        ),
        ({"type": "mcp_list_tools.completed", "item_id": "mcpl_1"}, ToolsListed("mcpl_1")),
        ({"type": "mcp_list_tools.failed", "item_id": "mcpl_1"}, ToolsListed("mcpl_1", failed=True)),
        (
            {"type": "conversation.item.created", "previous_item_id": "u", "item": MCP_CALL},
            McpCalled("mcp_1", "crm", "get_customer"),
        ),
        ({"type": "response.mcp_call.completed", "item_id": "mcp_1", "output_index": 0}, McpReturned("mcp_1")),
        (
            {"type": "response.mcp_call.failed", "item_id": "mcp_1", "output_index": 0},
            McpReturned("mcp_1", failed=True),
        ),
        (
            {"type": "conversation.item.created", "previous_item_id": "u", "item": APPROVAL},
            ApprovalRequested("mcpr_1", "crm", "get_customer"),
        ),
        ({"type": "response.done", "response": DONE}, ResponseEnded("r", ResponseStatus.CANCELLED, "turn_detected")),
        (
            {"type": "response.done", "response": {**DONE, "usage": {"input_tokens": 9, "output_tokens": 4}}},
            ResponseEnded("r", ResponseStatus.CANCELLED, "turn_detected", Tokens(input_text=9, output_text=4)),
        ),
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
        ({**AUDIO, "type": "response.output_audio.delta", "delta": "/38A"}, ReplyAudio("r", "i", b"\xff\x7f\x00")),
        (
            {"type": "response.output_audio_transcript.delta", "response_id": "r", "item_id": "i", "delta": "Hi"},
            ReplyText("r", "i", "Hi"),
        ),
        (
            {"type": "response.output_audio_transcript.done", "response_id": "r", "item_id": "i", "transcript": "Hi"},
            ReplySaid("r", "i", "Hi"),
        ),
        ({"type": "response.output_audio.done", "response_id": "r", "item_id": "i"}, ReplyComplete("r", "i")),
        (
            {"type": "conversation.item.added", "previous_item_id": "u", "item": APPROVAL},
            ApprovalRequested("mcpr_1", "crm", "get_customer"),
        ),
    ],
)
def test_messages_in(message: dict[str, object], event: VoiceEvent) -> None:
    """Each server event that matters is one event, with members that the SDK's models do not know left alone."""
    assert list(wire.decode(json.dumps({"event_id": "event_1", **message}))) == [event]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "session.created", "session": {}},
        {"type": "response.output_item.done", "response_id": "r", "item": {"id": "i", "type": "message"}},
        {"type": "response.output_item.done", "response_id": "r", "item": {**CALL, "status": "incomplete"}},
        {"type": "conversation.item.created", "previous_item_id": None, "item": {"id": "u", "type": "message"}},
        {"type": "conversation.item.created", "previous_item_id": "u", "item": CALL},
        {"type": "response.output_item.added", "response_id": "r", "output_index": 0, "item": MCP_CALL},
        {"type": "response.mcp_call_arguments.done", "response_id": "r", "item_id": "mcp_1", "arguments": "{}"},
        {"type": "response.mcp_call.in_progress", "item_id": "mcp_1", "output_index": 0},
        {"type": "response.output_item.done", "response_id": "r", "item": {**MCP_CALL, "output": "Ana"}},
        {"type": "conversation.item.done", "item": APPROVAL},
        {"type": "output_audio_buffer.started", "response_id": "r"},
        {"type": "output_audio_buffer.stopped", "response_id": "r"},
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
        ('{"type":"conversation.item.created"}', "conversation.item.created lacks 'item'"),
        (json.dumps({"type": "conversation.item.created", "item": {**MCP_CALL, "name": 7}}), "name is int"),
        ('{"type":"mcp_list_tools.failed"}', "lacks 'item_id'"),
        ('{"type":"error","error":null}', "error: "),
    ],
)
def test_broken_messages(text: str, says: str) -> None:
    """What breaks the protocol is a WireError that names the message and the member."""
    with pytest.raises(WireError, match=says):
        wire.decode(text)


def function_call(number: int, arguments: str) -> list[dict[str, object]]:
    """The messages of one function call, as the service writes them."""
    item = {
        "id": f"item_{number}",
        "object": "realtime.item",
        "type": "function_call",
        "status": "in_progress",
        "name": "lookup_order",
        "call_id": f"call_{number}",
        "arguments": "",
    }
    of_response = {"response_id": "resp_1", "output_index": number}
    of_call = {**of_response, "item_id": item["id"], "call_id": item["call_id"]}
    return [
        {"type": "response.output_item.added", **of_response, "item": item},
        {"type": "conversation.item.created", "previous_item_id": "item_u", "item": item},
        {"type": "response.function_call_arguments.delta", **of_call, "delta": "{"},
        {
            "type": "response.function_call_arguments.done",
            **of_call,
            "name": "lookup_order",
            "arguments": arguments,
        },
        {
            "type": "response.output_item.done",
            **of_response,
            "item": {**item, "status": "completed", "arguments": arguments},
        },
    ]


def events_of(*messages: dict[str, object]) -> list[VoiceEvent]:
    """What these messages tell, in their order."""
    return [event for message in messages for event in wire.decode(json.dumps(message))]


RESPONSE = {"id": "resp_1", "status": "completed", "output": [{}], "usage": {"total_tokens": 1}}
MESSY = '{  \n  "number": "42" \n} \n'


def test_parallel_calls_are_told_once_each_and_whole() -> None:
    """Of the five messages of a call only the complete item tells of it, whitespace and all."""
    assert events_of(
        {"type": "response.created", "response": {"id": "resp_1"}},
        *function_call(0, MESSY),
        *function_call(1, '{"number":"43"}'),
        {"type": "response.done", "response": RESPONSE},
    ) == [
        ResponseStarted("resp_1"),
        ToolCalled("resp_1", "call_0", "lookup_order", MESSY),
        ToolCalled("resp_1", "call_1", "lookup_order", '{"number":"43"}'),
        ResponseEnded("resp_1", ResponseStatus.COMPLETED),
    ]


def test_a_response_can_speak_and_call() -> None:
    """Two items of one response: the words are a reply, the call is a call."""
    said = {"response_id": "resp_1", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    message = {"id": "msg_1", "object": "realtime.item", "type": "message", "role": "assistant", "content": []}
    assert events_of(
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_item.added", "response_id": "resp_1", "output_index": 0, "item": message},
        {"type": "conversation.item.created", "previous_item_id": "item_u", "item": message},
        {"type": "response.audio.delta", **said, "delta": "/38A"},
        {"type": "response.audio.done", **said},
        {"type": "response.audio_transcript.done", **said, "transcript": "Let me look."},
        {"type": "response.output_item.done", "response_id": "resp_1", "output_index": 0, "item": message},
        *function_call(1, MESSY),
        {"type": "response.done", "response": RESPONSE},
    ) == [
        ResponseStarted("resp_1"),
        ReplyAudio("resp_1", "msg_1", b"\xff\x7f\x00"),
        ReplyComplete("resp_1", "msg_1"),
        ReplySaid("resp_1", "msg_1", "Let me look."),
        ToolCalled("resp_1", "call_1", "lookup_order", MESSY),
        ResponseEnded("resp_1", ResponseStatus.COMPLETED),
    ]


def test_nothing_of_an_mcp_call_s_arguments_is_told() -> None:
    """They are what the caller said; the gateway has no use for them."""
    told = events_of(
        {"type": "conversation.item.created", "item": MCP_CALL},
        {"type": "conversation.item.created", "item": APPROVAL},
    )
    assert "+12065550123" not in repr(told)
    assert '"id":7' not in repr(told)


def test_the_sdk_reads_the_mcp_items_as_we_do() -> None:
    """The SDK's models have the members that are read here, under the same names."""
    listing = models.ResponseMCPListToolItem(LISTING)
    assert (listing.id, listing.server_label) == ("mcpl_1", "crm")
    call = models.ResponseMCPCallItem(MCP_CALL)
    assert (call.id, call.server_label, call.name) == ("mcp_1", "crm", "get_customer")
    request = models.ResponseMCPApprovalRequestItem(APPROVAL)
    assert (request.id, request.server_label, request.name) == ("mcpr_1", "crm", "get_customer")
    assert (listing.type, call.type, request.type) == ("mcp_list_tools", "mcp_call", "mcp_approval_request")


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


def test_half_of_a_character_ends_no_call() -> None:
    """What no check of the configuration saw, such as a parameter or an answer, is told to the service all the same."""
    commands: list[VoiceCommand] = [
        SayText("a\ud83db"),
        CreateResponse("\udfff", request_id="r\udcff"),
        ReturnToolOutput("c\ud83d", '{"a":"\udc80"}'),
        AddMessage("user", "\ude00"),
    ]
    for command in commands:
        assert "\ufffd" in wire.encode(command).decode()
    updated = json.loads(wire.session_update({"metadata": {"call_id": "\udcff"}}))
    assert updated["session"] == {"metadata": {"call_id": "\ufffd"}}


@pytest.mark.parametrize(
    ("session", "expires_at"),
    [({"expires_at": 1790731031}, 1790731031.0), ({}, 0.0), ({"expires_at": "soon"}, 0.0), ({"expires_at": True}, 0.0)],
)
def test_the_expiry_of_a_session(session: dict[str, object], expires_at: float) -> None:
    """A Unix time; the session has none where the service does not say."""
    assert wire.expires_at(session) == expires_at


def test_tokens_that_cannot_be_read_do_not_hide_the_end_of_their_response() -> None:
    """It is over, and that its tokens are not known is told as an unknown message."""
    assert events_of({"type": "response.done", "response": {**DONE, "usage": {"input_tokens": "many"}}}) == [
        ResponseEnded("r", ResponseStatus.CANCELLED, "turn_detected"),
        UnknownEvent("usage of a response"),
    ]


@pytest.mark.parametrize(
    ("voice", "kind"),
    [({"type": "azure-custom", "name": "x"}, "azure-custom"), ("alloy", "openai"), ("", ""), (None, ""), ({}, "")],
)
def test_the_type_of_the_voice_is_read_from_the_session(voice: object, kind: str) -> None:
    """The price of the audio depends on it; a name alone is a voice of OpenAI."""
    (ready,) = events_of({"type": "session.updated", "session": {"id": "s", "model": "m", "voice": voice}})
    assert ready == SessionReady("s", "m", voice=kind)
