"""The voice leg against the emulator: events in, commands out, and exactly one closing event."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.audio.formats import L16_16K
from gateway.sim.emulator import Emulator
from gateway.voice import opening as module
from gateway.voice.bot import Agent, Model
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
    MalformedEvent,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    SessionReady,
    ToolCalled,
    TurnCommitted,
    UnknownEvent,
    VoiceClosed,
    VoiceEnd,
    VoiceEvent,
)
from gateway.voice.leg import NoVoice, VoiceLeg
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceLive
from tests.sim.emulator.wire import scripted
from tests.voice.credential import FakeCredential
from tests.voice.listener import MODEL, SESSION, listening, session_of


async def test_a_turn_from_end_to_end() -> None:
    """Ready, heard, answered: each event once and in order, the audio whole; closed by us at the end."""
    async with listening({"heard": "Where is it?", "say": "On its way."}) as listener:
        session = await session_of(listener)
        assert session.updates == [SESSION]
        await session.speech_started()
        await session.speech_stopped()
        await listener.until(ResponseEnded)
    assert "".join(event.text for event in listener.events if isinstance(event, ReplyText)) == "On its way."
    kinds = [type(event) for event in listener.events if not isinstance(event, ReplyAudio | ReplyText)]
    assert kinds == [
        SessionReady,
        CallerSpoke,
        CallerPaused,
        TurnCommitted,
        CallerSaid,
        ResponseStarted,
        ReplyComplete,
        ReplySaid,
        ResponseEnded,
        VoiceClosed,
    ]
    assert [event.text for event in listener.events if isinstance(event, CallerSaid | ReplySaid)] == [
        "Where is it?",
        "On its way.",
    ]
    sent = sum(record.event["bytes"] for record in session.sent if record.type == "response.audio.delta")
    assert sum(len(event.audio) for event in listener.events if isinstance(event, ReplyAudio)) == sent > 0
    assert listener.events[-1] == VoiceClosed(VoiceEnd.CLOSED)
    assert session.close_code == 1000
    listener.service.check()


@pytest.mark.parametrize(
    ("command", "kind", "fields"),
    [
        (SendAudio(b"\xff" * 160), None, {}),
        (CreateResponse(), "response.create", {}),
        (CreateResponse("Be kind."), "response.create", {"response": {"instructions": "Be kind."}}),
        (CancelResponse("resp_1"), "response.cancel", {"response_id": "resp_1"}),
        (CommitTurn(), "input_audio_buffer.commit", {}),
        (
            TruncateReply("item_1", 480),
            "conversation.item.truncate",
            {"item_id": "item_1", "content_index": 0, "audio_end_ms": 480},
        ),
    ],
)
async def test_commands(command: VoiceCommand, kind: str | None, fields: dict[str, Any]) -> None:
    """Each command is one client event."""
    async with listening() as listener:
        session = await session_of(listener)
        listener.leg.send(command)
        if kind is None:
            await session.until(lambda one: one.appended_bytes == 160)
            return
        await session.until(lambda one: len(one.received) == 2)
        event = session.received[1].event
        assert event["type"] == kind
        assert {key: event.get(key) for key in fields} == fields


async def test_a_greeting_and_a_tool() -> None:
    """What is to be said word for word is; a function call and its output make the round."""
    session_with_tool = {**SESSION, "tools": [{"type": "function", "name": "end_call"}]}
    async with listening({"call": {"name": "end_call"}, "after_call": "Bye."}, session=session_with_tool) as listener:
        session = await session_of(listener)
        listener.leg.send(SayText("Welcome."))
        await listener.until(ResponseEnded)
        await session.speech_started()
        await session.speech_stopped()
        call = await listener.until(ToolCalled)
        assert isinstance(call, ToolCalled)
        assert call.name == "end_call"
        await session.until(lambda one: sum(record.type == "response.done" for record in one.sent) == 2)
        listener.leg.send(ReturnToolOutput(call.call_id, "{}"))
        listener.leg.send(CreateResponse())
        await listener.until(ReplySaid, 2)
    assert [event.text for event in listener.events if isinstance(event, ReplySaid)] == ["Welcome.", "Bye."]
    listener.service.check()


@pytest.mark.usefixtures("credentials")
async def test_an_agent_takes_no_instructions_for_a_response() -> None:
    """They go before it as a message of the system; the request keeps its id, and a bare one goes as it is."""
    session = {key: value for key, value in SESSION.items() if key != "instructions"}
    async with listening(session=session, answering=Agent("desk", "contoso")) as listener:
        emulated = await session_of(listener)
        listener.leg.send(CreateResponse("Greet the caller.", "request-1"))
        await listener.until(ResponseEnded)
        listener.leg.send(CreateResponse())
        await listener.until(ResponseEnded, 2)
    greet = [{"type": "input_text", "text": "Greet the caller."}]
    _, message, *responses = (record.event for record in emulated.received)
    assert message == {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "system", "content": greet},
    }
    assert responses == [
        {"type": "response.create", "event_id": "request-1", "response": {"metadata": {"request_id": "request-1"}}},
        {"type": "response.create"},
    ]
    assert [event.request_id for event in listener.events if isinstance(event, ResponseStarted)] == ["request-1", ""]
    listener.service.check()


@pytest.mark.usefixtures("credentials")
async def test_what_an_agent_is_not_to_be_told_is_refused() -> None:
    """The emulator holds a session to what the service takes where an agent answers."""
    async with listening(answering=Agent("desk", "contoso")) as listener:
        closed = await listener.until(VoiceClosed)
    assert isinstance(closed, VoiceClosed)
    assert closed.end is VoiceEnd.REFUSED
    assert "not supported with Agent service" in closed.detail


@pytest.mark.parametrize(
    ("faults", "end", "words"),
    [
        ({"handshake": {"status": 401}}, VoiceEnd.REFUSED, "401"),
        ({"handshake": {"status": 503}}, VoiceEnd.UNREACHABLE, "503"),
        ({"handshake": {"never": True}}, VoiceEnd.UNREACHABLE, "did not answer"),
        ({"cut": {"at": "session.created"}}, VoiceEnd.LOST, "closed the session with 1011"),
        ({"cut": {"at": "session.created", "how": "reset"}}, VoiceEnd.LOST, ""),
    ],
)
async def test_no_session_comes_about(faults: dict[str, Any], end: VoiceEnd, words: str) -> None:
    """The closing event is the only one, and says what happened."""
    async with listening(faults=faults) as listener:
        await listener.until(VoiceClosed)
    (closed,) = listener.events
    assert isinstance(closed, VoiceClosed)
    assert closed.end is end
    assert words in closed.detail


async def test_a_broken_message_before_the_session_is_ready_costs_nothing() -> None:
    """It neither loses the session nor refuses it: the session is the first that is told."""
    async with listening(faults={"send": [{"at": "session.created", "raw": "{not json"}]}) as listener:
        await listener.until(SessionReady)
    assert [type(event) for event in listener.events] == [SessionReady, VoiceClosed]


async def test_an_error_of_another_event_refuses_no_session() -> None:
    """It is no answer to ``session.update``: the session comes about behind it."""
    error = {"type": "error", "error": {"code": "x", "message": "y", "event_id": "another"}}
    async with listening(faults={"send": [{"at": "session.created", "raw": json.dumps(error)}]}) as listener:
        await listener.until(SessionReady)
    assert [type(event) for event in listener.events] == [SessionReady, VoiceClosed]


async def test_a_session_that_the_service_refuses() -> None:
    """An error in answer to ``session.update`` ends the leg with the service's own words."""
    async with listening(session={**SESSION, "modalities": ["nothing"]}) as listener:
        await listener.until(VoiceClosed)
        (session,) = listener.service.sessions
        await session.closed.wait()
    (closed,) = listener.events
    assert isinstance(closed, VoiceClosed)
    assert closed.end is VoiceEnd.REFUSED
    assert closed.detail.startswith("Voice Live refused the session: ")
    assert session.close_code == 1000


async def test_a_session_that_is_never_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is bounded, and the half-open session is closed."""
    monkeypatch.setattr(module, "READY_TIMEOUT_S", 0.05)
    async with listening(latency_ms={"update": 150}) as listener:
        closed = await listener.until(VoiceClosed)
        await listener.service.sessions[0].closed.wait()
    assert listener.events == [closed]
    expected = "Voice Live did not take the session settings within 0.05 s"
    assert closed == VoiceClosed(VoiceEnd.UNREACHABLE, expected)


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        pytest.param(
            "close",
            4000,
            "Voice Live closed the session with 4000: because",
            marks=pytest.mark.needs_fast_sockets,
        ),
        ("reset", 0, "the connection to Voice Live broke"),
    ],
)
async def test_lost_is_told_from_closed(how: str, code: int, words: str) -> None:
    """Whoever did not close the session has lost it; commands behind that are let go.

    A close frame has a code (the SDK's ``ConnectionClosed``); a connection that breaks has none (``ConnectionError``).
    """
    async with listening() as listener:
        session = await session_of(listener)
        session.cut(how, 4000, "because")
        closed = await listener.until(VoiceClosed)
        listener.leg.send(SendAudio(b"x"))
    assert isinstance(closed, VoiceClosed)
    assert closed.end is VoiceEnd.LOST
    assert (closed.close_code, closed.detail) == (code, words)
    assert listener.all(VoiceClosed) == [closed]


async def test_odd_frames_are_events_and_no_end() -> None:
    """Broken and unknown messages are told; what follows them still counts."""
    async with listening() as listener:
        session = await session_of(listener)
        for frame in ("{not json", "[]", '{"type":"response.audio.delta"}', '{"type":"something.new"}'):
            await session.send_raw(frame)
        await session.inject({"type": "error", "error": {"code": "x", "message": "y", "event_id": "e"}})
        await listener.until(ServiceError)
    assert [type(event) for event in listener.events[1:]] == [
        *[MalformedEvent] * 3,
        UnknownEvent,
        ServiceError,
        VoiceClosed,
    ]
    assert listener.events[5] == ServiceError("x", "y", "e")


@pytest.mark.needs_fast_sockets
async def test_a_frame_of_five_megabytes() -> None:
    """It is more than a session of ours may send: the connection ends, and says why."""
    send = [{"at": "session.updated", "event": {"type": "huge"}, "padding_bytes": 5_000_000}]
    async with listening(faults={"send": send}) as listener:
        closed = await listener.until(VoiceClosed)
    assert isinstance(closed, VoiceClosed)
    assert closed.end is VoiceEnd.LOST
    assert "exceeds limit" in closed.detail


async def test_a_cancelled_response() -> None:
    """The status tells an answer that was cut short."""
    async with listening({"say": "A long story. " * 20}, pace=1) as listener:
        session = await session_of(listener)
        await session.speech_started()
        await session.speech_stopped()
        started = await listener.until(ResponseStarted)
        assert isinstance(started, ResponseStarted)
        listener.leg.send(CancelResponse(started.response_id))
        ended = await listener.until(ResponseEnded)
    assert isinstance(ended, ResponseEnded)
    assert ended.status is ResponseStatus.CANCELLED


async def test_a_command_before_the_connection_is_a_bug() -> None:
    """The conversation waits for ``SessionReady``."""
    leg = VoiceLeg(VoiceLive("http://127.0.0.1:1", "any"), [Proposal(MODEL, SESSION)])
    with pytest.raises(RuntimeError, match="before SessionReady"):
        leg.send(CommitTurn())
    await leg.close()


async def test_replies_in_another_format_are_converted() -> None:
    """An OpenAI voice on a linear phone of 16 kHz: as long as it was, at the phone's rate, and complete."""
    session = {"modalities": ["text", "audio"], "instructions": "Answer.", "output_audio_format": "pcm16"}
    script = scripted({"say": "Yes."}, vad="scripted")
    events: list[VoiceEvent] = []
    async with (
        asyncio.timeout(20),
        Emulator(script) as service,
        VoiceLive(service.endpoint, "any") as live,
        asyncio.TaskGroup() as group,
    ):
        leg = VoiceLeg(live, [Proposal(Model("gpt-realtime"), session)], L16_16K)
        done = asyncio.Event()

        def tell(event: VoiceEvent) -> None:
            events.append(event)
            if isinstance(event, SessionReady | ResponseEnded):
                done.set()

        reading = group.create_task(leg.run(tell))
        await done.wait()
        done.clear()
        leg.send(CreateResponse())
        await done.wait()
        await leg.close()
        await reading
        deltas = [record.event for record in service.sessions[0].sent if record.type == "response.audio.delta"]
        sent = sum(delta["bytes"] for delta in deltas)
    told = sum(len(event.audio) for event in events if isinstance(event, ReplyAudio))
    assert told == pytest.approx(sent * 16_000 / 24_000, abs=2)
    kinds = [type(event) for event in events]
    assert kinds.index(ReplyComplete) == len(kinds) - kinds[::-1].index(ReplyAudio), "the last audio precedes the end"


@pytest.mark.needs_fast_sockets
@pytest.mark.parametrize(("lives_s", "tense"), [(3600, "expires"), (-5, "expired")])
async def test_a_lost_session_tells_when_its_token_expires(
    credentials: list[FakeCredential], monkeypatch: pytest.MonkeyPatch, lives_s: float, tense: str
) -> None:
    """Nobody knows what the service does with an open session then."""
    ends_at = round(time.time() + lives_s)
    session = {key: value for key, value in SESSION.items() if key != "instructions"}
    async with listening(session=session, answering=Agent("desk", "contoso")) as listener:
        emulated = await session_of(listener)
        monkeypatch.setattr(VoiceLive, "expires_at", lambda *_: float(ends_at))
        emulated.cut("close", 4000, "session expired")
        closed = await listener.until(VoiceClosed)
    assert isinstance(closed, VoiceClosed)
    when = f"{datetime.fromtimestamp(ends_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    lost = "Voice Live closed the session with 4000: session expired"
    assert closed.detail == f"{lost}; the Entra token {tense} at {when}"
    assert len(credentials) == 1


async def test_a_leg_without_a_session_says_nothing_until_it_is_closed() -> None:
    """Commands come to nothing, and its one event is the closing one."""
    leg = NoVoice()
    told: list[VoiceEvent] = []
    async with asyncio.TaskGroup() as group:
        running = group.create_task(leg.run(told.append))
        leg.send(SendAudio(b"\xff"))
        leg.send(CreateResponse())
        await asyncio.sleep(0)
        assert not running.done()
        await leg.close()
        await leg.close()
    assert told == [VoiceClosed(VoiceEnd.CLOSED)]
