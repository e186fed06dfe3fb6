"""What becomes of a webhook that is genuine: the call is connected, refused or followed, and its states are taken."""

import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.call.ending import EndCall, EndReason
from gateway.call.refusal import Refusal
from gateway.errors import WireError
from gateway.phone.provider import Grant
from gateway.phone.requests import HttpRequest, Steps
from gateway.phone.webhook import After, Answer, CallStatus, IncomingCall, StreamEnded, WebhookRequest
from gateway.routes.refusing.refusals import Refused
from gateway.routes.sessions_ahead import Outcome
from gateway.routes.stream_keys import is_over, note_stream
from tests.e2e.rig import LINE, NUMBER
from tests.routes.stage import (
    API,
    CALLER,
    ENDED,
    PUBLIC,
    REFUSED,
    RESCUED,
    SORRY,
    UNCERTAIN,
    Stage,
    redirected,
)

LIMITED = {"support": LINE + RESCUED + "limits: {calls: 1}\n"}
COMMAND = HttpRequest("POST", f"{API}/answer")
INSTEAD = HttpRequest("POST", f"{API}/hang_up")
KEY = ("twilio", "CA1")
REQUEST = WebhookRequest("POST", f"{PUBLIC}/status/twilio", {})


async def test_a_call_is_connected_with_a_stream_of_its_own(tmp_path: Path) -> None:
    """It has a place, and a token that vouches for its line, its numbers and its id; the provider knows whom to ask."""
    stage = Stage(tmp_path, {"main": LINE + RESCUED})
    with capture_logs() as logs:
        assert await stage.webhook() == Answer("document")
    (connect,) = stage.provider.connects
    address, _, token = connect.stream_url.rpartition("/")
    assert address == "wss://voice.example.com/phone/stream/twilio/main"
    granted = stage.tokens.read("twilio", token, time.time()).grant
    assert granted == Grant("main", "CA1", CALLER, NUMBER)
    assert connect.call_url == f"{PUBLIC}/answer/twilio/main"
    assert connect.then_url == f"{PUBLIC}/answer/twilio/main?stream=ended"
    assert connect.callback_url == f"{PUBLIC}/status/twilio"
    assert connect.on_failure == After("Sorry.", "de-DE")
    assert [(call.provider, call.call_id, call.line) for call in stage.calls.expected()] == [(*KEY, "main")]
    assert [entry for entry in logs if entry["event"] == "call_answered"] == [
        {"event": "call_answered", "provider": "twilio", "call": "CA1", "line": "main", "log_level": "info"}
    ]


def in_steps(noted: list[bytes]) -> Steps[Answer]:
    """An answer with what came of the request before it."""
    noted.append((yield COMMAND))
    noted.append((yield INSTEAD))
    return Answer("in steps")


async def test_an_answer_may_need_what_the_requests_before_it_bring(tmp_path: Path) -> None:
    """Such as the id of a stream that is to be created first."""
    stage, noted = Stage(tmp_path), list[bytes]()
    stage.provider.document = in_steps(noted)
    assert await stage.webhook() == Answer("in steps")
    assert (stage.control.made, noted) == ([COMMAND, INSTEAD], [b"said", b"said"])


async def test_a_step_of_an_answer_that_fails_refuses_the_call(tmp_path: Path) -> None:
    """No step after it is taken, and the place is free again."""
    stage, noted = Stage(tmp_path), list[bytes]()
    stage.provider.document = in_steps(noted)
    stage.control.failures = [REFUSED]
    assert await stage.webhook() == Refused(Refusal.PROVIDER_REFUSED, str(REFUSED))
    assert (stage.control.made, noted) == ([COMMAND], [])
    assert (stage.calls.expected(), stage.calls.in_use) == ([], 0)


async def test_a_line_after_which_nothing_follows_is_not_asked(tmp_path: Path) -> None:
    """The provider hangs up by itself."""
    stage = Stage(tmp_path, {"support": LINE})
    await stage.webhook()
    (connect,) = stage.provider.connects
    assert (connect.then_url, connect.on_failure) == ("", After())


@pytest.mark.parametrize(
    ("keys", "asks"), [("after: {say: Goodbye.}\n", True), (RESCUED, False), ("on_failure: {say: Sorry.}\n", False)]
)
async def test_a_provider_whose_document_rescues_a_caller_is_told_by_request(
    tmp_path: Path, keys: str, asks: bool
) -> None:
    """Its document goes on after every stream: it asks us only where there is nothing in it for a failure."""
    stage = Stage(tmp_path, {"support": LINE + keys})
    stage.provider.commands.redirect = redirected
    await stage.webhook()
    (connect,) = stage.provider.connects
    assert bool(connect.then_url) is asks


async def test_a_token_has_no_number_longer_than_any(tmp_path: Path) -> None:
    """The token is part of an address, which has its bounds."""
    stage = Stage(tmp_path)
    stage.provider.says = IncomingCall("CA1", "1" * 9000, "2" * 9000)
    await stage.webhook("support")
    (connect,) = stage.provider.connects
    granted = stage.tokens.read("twilio", connect.stream_url.rpartition("/")[2], time.time()).grant
    assert (len(granted.caller), len(granted.called)) == (256, 256)


@pytest.mark.parametrize(
    ("failure", "otherwise", "made"),
    [(REFUSED, (), [COMMAND]), (UNCERTAIN, (INSTEAD,), [COMMAND])],
)
async def test_a_call_that_could_not_be_answered_has_no_place(
    tmp_path: Path, failure: Exception, otherwise: tuple[HttpRequest, ...], made: list[HttpRequest]
) -> None:
    """502, a count and a line of the log; the provider may ask again. What may have been done is not done otherwise."""
    stage = Stage(tmp_path)
    stage.provider.document = Answer("document", requests=(COMMAND,), otherwise=otherwise)
    stage.control.failures = [failure]  # type: ignore[list-item]  # all are of call control
    with capture_logs() as logs:
        assert await stage.webhook() == Refused(Refusal.PROVIDER_REFUSED, str(failure))
    assert stage.control.made == made
    assert (stage.calls.expected(), stage.calls.in_use) == ([], 0)
    assert stage.metric("gateway_call_control_failures_total", provider="twilio") == 1
    assert [(entry["event"], entry["provider"], entry["detail"], entry["answer"]) for entry in logs] == [
        ("call_control_failed", "twilio", str(failure), getattr(failure, "answer", ""))
    ]


async def test_a_call_whose_connection_is_refused_is_ended_otherwise(tmp_path: Path) -> None:
    """Its caller would be left in silence."""
    stage = Stage(tmp_path)
    stage.provider.document = Answer("document", requests=(COMMAND,), otherwise=(INSTEAD,))
    stage.control.failures = [REFUSED]
    assert await stage.webhook() == Answer(requests=(INSTEAD,))
    assert stage.control.made == [COMMAND, INSTEAD]


async def test_a_place_is_kept_a_little_longer_than_the_token_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token counts whole seconds: a stream that has a good one has its place."""
    kept: list[object] = []
    stage = Stage(tmp_path, LIMITED)
    monkeypatch.setattr(stage.calls, "reserve", lambda *given: kept.append(given))
    await stage.webhook()
    assert kept == [(KEY, "support", 1, 61.0, CALLER, None)]


@pytest.mark.parametrize(
    ("line", "direction", "field", "reason"),
    [
        ("", "inbound", "our_number", Refusal.UNKNOWN_NUMBER),
        ("", "outbound-dial", "called", Refusal.UNKNOWN_NUMBER),
        ("gone", "inbound", "", Refusal.UNKNOWN_LINE),
    ],
)
async def test_a_call_that_no_line_takes(
    tmp_path: Path, line: str, direction: str, field: str, reason: Refusal
) -> None:
    """The called number is in the log: in clear where it is ours, and hidden where we have called it."""
    stage = Stage(tmp_path)
    stage.provider.says = IncomingCall("CA1", CALLER, "+19995550100")
    refused = await stage.webhook(line, Direction=direction)
    assert isinstance(refused, Refused)
    assert (refused.reason, dict(refused.fields)) == (reason, {field: "+19995550100"} if field else {})
    assert stage.calls.in_use == 0


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (WireError("expected CallSid"), "expected CallSid"),
        (IncomingCall("a/b", CALLER, NUMBER), "the call's id is 'a/b'"),
    ],
)
async def test_what_names_no_call_is_told_what_was_expected(
    tmp_path: Path, says: WireError | IncomingCall, told: str
) -> None:
    """The provider's own page shows it to whoever has set it up."""
    stage = Stage(tmp_path)
    stage.provider.says = says
    refused = await stage.webhook()
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.NOT_A_CALL
    assert refused.text.startswith(told)
    assert refused.detail == refused.text


async def test_a_call_without_an_id_is_no_fault(tmp_path: Path) -> None:
    """Some providers name it on the stream alone."""
    stage = Stage(tmp_path)
    stage.provider.says = IncomingCall("", CALLER, NUMBER)
    assert await stage.webhook() == Answer("document")


async def test_other_events_at_the_same_address_are_answered_and_taken(tmp_path: Path) -> None:
    """Providers with one address for everything report a call's end there."""
    stage = Stage(tmp_path)
    await stage.webhook()
    stage.provider.says = Answer("accepted", requests=(COMMAND,))
    stage.provider.statuses = [CallStatus("CA1", "completed", ended=True)]
    assert await stage.webhook() == stage.provider.says
    assert stage.control.made == [COMMAND]
    assert stage.calls.in_use == 0
    assert is_over(stage.used, *KEY)


async def test_an_answer_to_another_event_whose_request_fails_is_counted(tmp_path: Path) -> None:
    """As the provider's failure: 502, so that it may send the event again."""
    stage = Stage(tmp_path)
    stage.provider.says = Answer("accepted", requests=(COMMAND,))
    stage.control.failures = [UNCERTAIN]
    with capture_logs() as logs:
        assert await stage.webhook() == Refused(Refusal.PROVIDER_REFUSED, str(UNCERTAIN))
    assert stage.metric("gateway_call_control_failures_total", provider="twilio") == 1
    assert [entry["provider"] for entry in logs if entry["event"] == "call_control_failed"] == ["twilio"]


@pytest.mark.parametrize(
    ("end", "line", "says", "reason"),
    [
        (EndReason.BOT_HUNG_UP, "support", "Goodbye.", "bot_hung_up"),
        (EndReason.FAULT, "support", "Sorry.", "fault"),
        (None, "support", "Sorry.", "unknown"),
        (EndReason.FAULT, "gone", "", "fault"),
    ],
)
async def test_what_follows_a_stream_is_answered_by_its_end(
    tmp_path: Path, end: EndReason | None, line: str, says: str, reason: str
) -> None:
    """The line's words, or nothing where it is gone; what comes along of the call's state is taken."""
    stage = Stage(tmp_path)
    if end is not None:
        stage.outcomes.note_end(KEY, EndCall(end, "bot"))
    stage.provider.says = StreamEnded("CA1", NUMBER, lambda after: Answer(after.say))
    stage.provider.statuses = [CallStatus("CA1", "completed", ended=True)]
    with capture_logs() as logs:
        assert await stage.webhook(line) == Answer(says)
    assert is_over(stage.used, *KEY)
    (followed,) = [entry for entry in logs if entry["event"] == "stream_followed"]
    assert followed == {
        "event": "stream_followed",
        "provider": "twilio",
        "call": "CA1",
        "line": "support" if line == "support" else "",
        "reason": reason,
        "says": bool(says),
        "transfers": False,
        "log_level": "info",
    }


async def test_a_call_that_is_over_gives_its_place_back_under_each_of_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id that its webhook had, and that of its callbacks: neither opens a stream any more, nor has a session."""
    stage = Stage(tmp_path)
    dropped: list[tuple[object, ...]] = []
    monkeypatch.setattr(stage.webhooks._ahead, "drop", lambda *given: dropped.append(given))
    await stage.webhook()
    with capture_logs() as logs:
        status = CallStatus("CB1", "x" * 60, ended=True, answered_as="CA1")
        assert await stage.status(status) == Answer(status=204)
    assert stage.calls.in_use == 0
    assert dropped == [(("twilio", "CB1"), Outcome.CALL_OVER), (KEY, Outcome.CALL_OVER)]
    assert (is_over(stage.used, "twilio", "CB1"), is_over(stage.used, *KEY)) == (True, True)
    assert logs == [
        {
            "event": "call_status",
            "provider": "twilio",
            "call": "CB1",
            "status": "x" * 40,
            "ended_here": False,
            "log_level": "info",
        }
    ]


async def test_a_state_that_is_no_end_changes_nothing(tmp_path: Path) -> None:
    """The call keeps its place, and its stream may come."""
    stage = Stage(tmp_path)
    await stage.webhook()
    await stage.status(CallStatus("CA1", "ringing", ended=False))
    assert stage.calls.in_use == 1
    assert not is_over(stage.used, *KEY)
    assert stage.control.made == []


@pytest.mark.parametrize("statuses", [WireError("no status"), [CallStatus("a/b", "completed", ended=True)]])
async def test_a_status_that_cannot_be_read_is_noted(tmp_path: Path, statuses: WireError | list[CallStatus]) -> None:
    """204 all the same: a provider that is answered with an error sends it again."""
    stage = Stage(tmp_path)
    stage.provider.statuses = statuses
    with capture_logs() as logs:
        assert await stage.webhooks._note_status(stage.provider, stage.provider, REQUEST, "") == Answer(status=204)
    (entry,) = logs
    assert (entry["event"], entry["provider"]) == ("status_unread", "twilio")
    assert entry["detail"]


@pytest.mark.parametrize(
    ("answered", "line", "said"), [(True, "", SORRY), (False, "support", SORRY), (False, "", ENDED)]
)
async def test_a_call_whose_stream_failed_goes_on_once(tmp_path: Path, answered: bool, line: str, said: str) -> None:
    """As the line says that it was answered for, else the one of the address; its place is free again."""
    stage = Stage(tmp_path)
    if answered:
        await stage.webhook()
    failed = CallStatus("CA1", "stream failed", ended=False, stream_failed=True)
    with capture_logs() as logs:
        for _ in range(2):
            await stage.status(failed, line=line)
    assert stage.control.asked() == [("CA1", said)]
    assert stage.calls.in_use == 0
    assert [
        (entry["provider"], entry["call"], entry["status"], entry["log_level"])
        for entry in logs
        if entry["event"] == "stream_failed"
    ] == [("twilio", "CA1", "stream failed", "warning")]
    assert not is_over(stage.used, *KEY)


async def test_a_stream_that_came_has_not_failed(tmp_path: Path) -> None:
    """Whatever its provider tells afterwards, under either name of the call."""
    stage = Stage(tmp_path)
    note_stream(stage.used, "twilio", "CB1")
    await stage.status(CallStatus("CA1", "failed", ended=False, stream_failed=True, answered_as="CB1"))
    assert stage.control.made == []


@pytest.mark.parametrize(
    ("end", "made"),
    [(EndReason.TRANSFERRED, [f"{API}/CA1"]), (EndReason.BOT_HUNG_UP, []), (None, [])],
)
@pytest.mark.parametrize("failure", [None, UNCERTAIN])
async def test_a_transfer_that_is_taken_back_after_the_stream_ends_the_call(
    tmp_path: Path, end: EndReason | None, made: list[str], failure: Exception | None
) -> None:
    """Nobody has taken the caller. A call that ended otherwise is left alone; a failure is counted and logged."""
    stage = Stage(tmp_path)
    if end is not None:
        stage.outcomes.note_end(KEY, EndCall(end, "bot"))
    stage.control.failures = [failure] if failure else []  # type: ignore[list-item]  # all are of call control
    with capture_logs() as logs:
        await stage.status(CallStatus("CA1", "transfer failed", ended=False, transfer_failed=True))
    assert [request.url for request in stage.control.made] == made
    is_told = bool(made and failure)
    assert stage.metric("gateway_call_control_failures_total", provider="twilio") == is_told
    told = [entry for entry in logs if entry["event"] == "call_control_failed"]
    assert [(entry["provider"], entry["detail"], entry["answer"]) for entry in told] == (
        [("twilio", "no answer", "")] if is_told else []
    )


async def test_a_transfer_that_is_taken_back_during_the_call_is_told_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call goes on: nothing is asked of the provider."""
    stage = Stage(tmp_path)
    told: list[tuple[object, str]] = []

    def take_back(key: object, detail: str) -> bool:
        told.append((key, detail))
        return True

    stage.outcomes.note_end(KEY, EndCall(EndReason.TRANSFERRED, "bot"))
    monkeypatch.setattr(stage.calls, "transfer_failed", take_back)
    await stage.status(CallStatus("CA1", "failed", ended=False, transfer_failed=True))
    assert (told, stage.control.made) == ([(KEY, "twilio says failed")], [])
