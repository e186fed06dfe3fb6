"""What becomes of a stream and of its caller: turned away, run to an end, or let go on by the provider."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.call import notes
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import FunctionReturned, RunFunction, TransferCaller, TransferEnded
from gateway.call.refusal import Refusal
from gateway.fleet.places import KnownCall
from gateway.phone.provider import Grant
from gateway.routes import media_stream
from gateway.routes.stream_keys import note_over, note_stream
from tests.e2e.rig import LINE, NUMBER
from tests.routes.stage import (
    CALLER,
    ENDED,
    GOODBYE,
    GRANT,
    REFUSED,
    RESCUED,
    SORRY,
    UNCERTAIN,
    Run,
    Stage,
    stand_in,
    started,
)

LIMITED = {"support": LINE + RESCUED + "limits: {calls: 1}\n"}
SECOND = {"support": LINE + RESCUED, "second": LINE.replace(NUMBER, "+14255550101")}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """How the calls of this test go."""
    run = Run()
    monkeypatch.setattr(media_stream, "Call", stand_in(run))
    return run


@pytest.mark.parametrize(
    ("messages", "code", "reason", "detail"),
    [
        (["nonsense"], 1008, Refusal.BAD_START, "'nonsense' is no message"),
        ([None], 1008, Refusal.NO_START, "no start within 0.01 s"),
    ],
)
async def test_a_stream_that_does_not_start_is_closed_and_its_caller_helped(
    tmp_path: Path, messages: list[str | None], code: int, reason: Refusal, detail: str
) -> None:
    """It broke the protocol or said nothing: its call is still there, and goes on as the line's ``on_failure`` says."""
    stage = Stage(tmp_path)
    with capture_logs() as logs:
        socket = await stage.stream(*messages)
    assert socket.closed_with == code
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [(reason, detail)]
    assert [entry["event"] for entry in logs] == ["stream_refused"]
    assert stage.metric("gateway_calls_refused_total", reason=reason.value) == 1
    assert stage.control.asked() == [("CA1", SORRY)]
    assert stage.calls.in_use == 0
    assert not stage.prepared


async def test_what_came_in_place_of_a_start_is_told(tmp_path: Path) -> None:
    """An operator sees that the provider sends audio or keys, and no start."""
    stage = Stage(tmp_path)
    await stage.stream("", None)
    (refused,) = stage.refused
    assert refused.detail.startswith("no start within 0.01 s; what came: ")


async def test_a_stream_that_waits_while_the_gateway_stops_is_sent_away(tmp_path: Path) -> None:
    """With 1001, which says that nothing was wrong with it; its caller is helped."""
    stage = Stage(tmp_path)
    async with asyncio.TaskGroup() as group:
        stage.streams._start_timeout_s = 60
        waiting = group.create_task(stage.stream(None))
        await asyncio.sleep(0)
        await stage.calls.drain(0, 1)
    assert waiting.result().closed_with == 1001
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [(Refusal.SHUT_DOWN, "the gateway stops")]
    assert stage.control.asked() == [("CA1", SORRY)]


@pytest.mark.parametrize("messages", [[], ["stop"]])
async def test_a_stream_that_ends_before_it_starts_leaves_nobody(tmp_path: Path, messages: list[str]) -> None:
    """The provider has ended the call: it is counted, and nothing is asked for."""
    stage = Stage(tmp_path)
    socket = await stage.stream(*messages, failure="reset by peer")
    assert socket.closed_with == 1000
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [
        (Refusal.CLOSED_BEFORE_START, "reset by peer")
    ]
    assert stage.control.made == []


async def test_a_probe_is_no_refusal(tmp_path: Path) -> None:
    """A provider looks whether the stream can be reached, before the first call."""
    stage = Stage(tmp_path)
    with capture_logs() as logs:
        socket = await stage.stream("probe")
    assert socket.closed_with == 1000
    assert [(entry["event"], entry["provider"]) for entry in logs] == [("stream_probed", "twilio")]
    assert (stage.refused, stage.control.made) == ([], [])


async def test_a_call_that_is_over_gets_no_stream(tmp_path: Path) -> None:
    """Its provider has said so: nobody is there whom anything would help."""
    stage = Stage(tmp_path)
    note_over(stage.used, "twilio", "CA1")
    for grant in (GRANT, Grant("support")):  # with a token, and with a secret or a signature alone
        assert (await stage.stream("start", grant=grant)).closed_with == 1008
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [
        (Refusal.UNAUTHORIZED, "the call is over: its provider has reported its end")
    ] * 2
    assert stage.control.made == []


async def test_a_token_does_not_open_the_stream_of_another_call(tmp_path: Path, run: Run) -> None:
    """One that has its stream already: the start is refused, and the token's own caller helped."""
    stage = Stage(tmp_path)
    note_stream(stage.used, "twilio", "CA2")
    stage.provider.events["start"] = started("CA2")
    assert (await stage.stream("start")).closed_with == 1008
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [
        (Refusal.BAD_START, "the start names another call, which has its stream")
    ]
    assert stage.control.asked() == [("CA1", SORRY)]
    assert not stage.prepared


async def test_a_provider_may_name_a_call_otherwise_once_it_is_up(tmp_path: Path, run: Run) -> None:
    """The call is then known by the name of its start, and has had its stream by that."""
    stage = Stage(tmp_path)
    await stage.webhook()
    stage.provider.events["start"] = started("CA2")
    await stage.stream("start")
    assert stage.sessions_reserved() == 0
    assert stage.note("call_ended")["reason"] == "bot_hung_up"
    assert stage.notes[0][0].call_id == "CA2"
    assert not note_stream(stage.used, "twilio", "CA2")


async def test_a_number_that_no_line_takes_is_turned_away(tmp_path: Path) -> None:
    """The call is ended: no line says what else to do."""
    stage = Stage(tmp_path)
    stage.provider.events["start"] = started(called="+19995550100")
    assert (await stage.stream("start", grant=Grant())).closed_with == 1008
    (refused,) = stage.refused
    assert (refused.reason, refused.fields) == (Refusal.UNKNOWN_NUMBER, {"our_number": "+19995550100"})
    assert stage.control.asked() == [("CA1", ENDED)]


async def test_a_busy_line_turns_a_stream_away(tmp_path: Path) -> None:
    """With 1013, which says to come later; its caller is helped as the line says."""
    stage = Stage(tmp_path, LIMITED)
    assert stage.calls.reserve(("twilio", "CA0"), "support", 1, 60) is None
    assert (await stage.stream("start")).closed_with == 1013
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [
        (Refusal.LINE_FULL, "line support is busy")
    ]
    (call,) = stage.turned_away
    assert (call.call_id, call.line, call.reason) == ("CA1", "support", Refusal.LINE_FULL)
    assert stage.control.asked() == [("CA1", SORRY)]


async def test_the_token_names_the_line_and_the_call_is_told_as_it_reads(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the called number, which may be another line's; numbers are in international format.

    A mistake in its file, which keeps the version before in use, is told with the call.
    """
    stage = Stage(tmp_path, SECOND)
    monkeypatch.setattr(stage.lines, "problem", lambda name: f"{name}: a mistake")
    stage.provider.events["start"] = started(called="14255550100")
    await stage.stream("start", grant=Grant("second", "CA1"))
    identity = stage.notes[0][0]
    assert (identity.line, identity.provider, identity.caller, identity.called) == (
        "second",
        "twilio",
        CALLER,
        NUMBER,
    )
    assert identity.audio_format == "pcmu/8000"
    line = stage.lines.find("second")
    assert line is not None
    told = {"caller": CALLER, "called": NUMBER, "generation": line.generation, "line_error": "second: a mistake"}
    assert stage.note("call_started") == told
    assert [call.called for call in stage.prepared] == [NUMBER]


@pytest.mark.parametrize(
    ("end", "asked"),
    [
        (EndReason.BOT_HUNG_UP, [("CA1", GOODBYE)]),
        (EndReason.VOICE_LOST, [("CA1", SORRY)]),
        (EndReason.LINE_CLOSED, [("CA1", ENDED)]),
        (EndReason.CALLER_HUNG_UP, []),
        (EndReason.TRANSFERRED, []),
    ],
)
async def test_what_follows_a_stream_is_asked_for_by_its_end(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, end: EndReason, asked: list[tuple[str, str]]
) -> None:
    """Nothing where no call is left; the end is counted, noted with all that a search needs, and remembered."""
    times = iter([100.0, 100.0, 101.0, 112.34])
    monkeypatch.setattr(Conversation, "late_frames", 7)
    monkeypatch.setattr(Conversation, "marks_lost", 3)
    monkeypatch.setattr(Conversation, "caller_audio_s", 9.5)
    monkeypatch.setattr(Conversation, "session_s", lambda _, now: now - 101.0)
    run.end = EndCall(end, "caller", "a detail")
    run.notes = [notes.ReplyStarted("r", 300), notes.ReplyStarted("s", 300), notes.ReplyHeard("r", 1, 1)]
    stage = Stage(tmp_path)
    monkeypatch.setattr(stage.streams, "_clock", lambda: next(times))
    await stage.stream("start")
    assert stage.control.asked() == asked
    assert stage.outcomes.find(("twilio", "CA1")) is end
    assert stage.note("call_ended") == {
        "reason": end.value,
        "by": "caller",
        "detail": "a detail",
        "provider": "twilio",
        "duration_s": 12.3,
        "turns": 2,
        "late_frames": 7,
        "marks_lost": 3,
        "caller_audio_s": 9.5,
        "session_s": 11.3,
    }
    assert stage.metric("gateway_call_ends_total", reason=end.value, by="caller", line="support") == 1
    assert stage.metric("gateway_frames_late_total") == 7
    assert stage.metric("gateway_marks_lost_total", provider="twilio") == 3
    assert stage.metric("gateway_call_duration_seconds_sum") == pytest.approx(12.34)
    assert stage.metric("gateway_calls_started_total", provider="twilio", line="support") == 1
    assert stage.calls.in_use == 0


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_failure_is_followed_within_the_hours_of_its_line(tmp_path: Path, run: Run, is_open: bool) -> None:
    """Of now: at the end of the call, nobody may be where ``on_failure`` leads."""
    another_day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.now(UTC).weekday() + 3) % 7]
    days = "mon-sun" if is_open else another_day
    hours = f"hours: {{open: {{{days}: '00:00-24:00'}}, closed: {{say: Closed.}}}}\n"
    run.end = EndCall(EndReason.VOICE_LOST, "service")
    stage = Stage(tmp_path, {"support": LINE + RESCUED + hours})
    await stage.stream("start")
    assert stage.control.asked() == [("CA1", SORRY if is_open else ENDED)]


async def test_a_call_in_progress_is_counted_and_can_be_reached(tmp_path: Path, run: Run) -> None:
    """Its provider may report its end, and it stands in the metrics and in the log's context."""
    stage = Stage(tmp_path)
    seen: list[object] = []

    def look() -> None:
        seen.append(stage.metric("gateway_calls"))
        seen.append(stage.calls.reported_over(("twilio", "CA1"), "twilio says completed"))

    run.during = look
    await stage.stream("start")
    assert (seen, run.told) == ([1, True], ["twilio says completed"])
    assert stage.metric("gateway_calls") == 0


async def test_a_call_has_its_errands_done_at_its_own_line_and_provider(tmp_path: Path, run: Run) -> None:
    """The line's functions are called, and what its provider cannot do is counted as the provider's."""
    tool = "tools: [{name: status, description: Looks up., http: {url: https://shop.example.com/}}]\n"
    stage = Stage(tmp_path, {"support": LINE + tool})
    await stage.stream("start")
    (errands,) = run.errands
    assert await errands.run(RunFunction("call_1", "status", "{}", {})) == FunctionReturned("call_1", "status", "ok")
    refused = await errands.run(TransferCaller("desk", "+14255550199"))
    assert refused == TransferEnded("this phone provider cannot transfer a call")
    assert stage.metric("gateway_call_control_failures_total", provider="twilio") == 1


async def test_a_fault_ends_one_call_and_helps_its_caller(tmp_path: Path, run: Run) -> None:
    """It is logged with its traceback, counted and noted."""
    run.end = ZeroDivisionError("a bug")
    stage = Stage(tmp_path)
    with capture_logs() as logs:
        await stage.stream("start")
    assert [entry["exc_info"] for entry in logs if entry["event"] == "call_failed"] == [True]
    assert stage.note("call_ended")["reason"] == "fault"
    assert stage.metric("gateway_call_ends_total", reason="fault", by="gateway", line="support") == 1
    assert stage.metric("gateway_frames_late_total") == 0
    assert stage.control.asked() == [("CA1", SORRY)]


async def test_a_call_that_the_process_does_not_wait_for_is_no_fault(tmp_path: Path, run: Run) -> None:
    """It is noted as what it is, and the process ends."""
    run.end = asyncio.CancelledError()
    stage = Stage(tmp_path)
    with pytest.raises(asyncio.CancelledError):
        await stage.stream("start")
    ended = stage.note("call_ended")
    assert (ended["reason"], ended["by"], ended["detail"]) == (
        "shut_down",
        "gateway",
        "the process did not wait for the call's end",
    )


@pytest.mark.parametrize(
    ("failures", "asked"), [([REFUSED], [SORRY, ENDED]), ([REFUSED, REFUSED], [SORRY, ENDED]), ([UNCERTAIN], [SORRY])]
)
async def test_a_refused_rescue_ends_the_call(tmp_path: Path, failures: list[Exception], asked: list[str]) -> None:
    """Once: the end may be refused too. Where nobody knows what the provider did, it is left at that."""
    stage = Stage(tmp_path)
    stage.control.failures = list(failures)  # type: ignore[arg-type]  # all are of call control
    with capture_logs() as logs:
        await stage.streams.strand(KnownCall("twilio", "CA1", "support"))
    assert stage.control.asked() == [("CA1", said) for said in asked]
    assert stage.metric("gateway_call_control_failures_total", provider="twilio") == len(failures)
    told = [
        (entry["provider"], entry["detail"], entry["answer"], entry["log_level"])
        for entry in logs
        if entry["event"] == "call_control_failed"
    ]
    failure = failures[0]
    assert told == [("twilio", str(failure), getattr(failure, "answer", ""), "error")] * len(failures)


async def test_a_call_that_goes_on_without_its_stream_opens_none_later(tmp_path: Path) -> None:
    """A call that is not known by its id cannot be asked for, nor one of a provider that is not served."""
    stage = Stage(tmp_path)
    await stage.streams.strand(KnownCall("twilio", "CA1", "support"))
    assert not note_stream(stage.used, "twilio", "CA1")
    await stage.streams.strand(KnownCall("twilio", "CA2", "gone"))
    await stage.streams.strand(KnownCall("twilio", "CA3"))
    assert stage.control.asked() == [("CA1", SORRY), ("CA2", ENDED), ("CA3", ENDED)]
    await stage.streams.strand(KnownCall("twilio", "", "support"))
    await stage.streams.strand(KnownCall("nobody", "CA4", "support"))
    assert len(stage.control.made) == 3


async def test_answered_calls_whose_streams_do_not_come_go_on_when_the_gateway_stops(tmp_path: Path) -> None:
    """Each as its line says, and their places are free."""
    stage = Stage(tmp_path)
    for call_id in ("CA1", "CA2"):
        stage.calls.reserve(("twilio", call_id), "support", None, 60)
    await stage.streams.strand_expected()
    assert sorted(stage.control.asked()) == [("CA1", SORRY), ("CA2", SORRY)]
    assert (stage.calls.expected(), stage.calls.in_use) == ([], 0)
