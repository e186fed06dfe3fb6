"""The spans that the notes of a call make."""

import pytest
import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.tracing.attributes import Privacy
from gateway.tracing.call_trace import CallTrace
from gateway.voice.bot import Model
from gateway.voice.endpoints.tries import trying
from tests.tracing.spans import Kept, id_of, parent_of, to_ns

IDENTITY = CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0)


class Story:
    """A call that is told by its notes."""

    def __init__(self, privacy: Privacy | None = None) -> None:
        self.kept = Kept()
        self.now = 0.0
        self.trace = CallTrace(
            self.kept.tracer, Context(), privacy or Privacy(), lambda: self.now, to_ns, {"gateway.line": "support"}
        )

    def tell(self, at: float, note: Note) -> None:
        """Make a note."""
        self.now = at
        self.trace.observe(IDENTITY, TimedNote(at, note))

    def ends(
        self, at: float, reason: EndReason = EndReason.CALLER_HUNG_UP, by: str = "caller", detail: str = ""
    ) -> None:
        """End the call."""
        self.tell(at, notes.CallEnded(reason, by, detail, "twilio", at, turns=1))

    def one(self, name: str) -> ReadableSpan:
        """The span of that name."""
        return self.kept.one(name)

    def events(self, name: str) -> list[str]:
        """The events of the span of that name."""
        return [event.name for event in self.one(name).events]


def test_a_call_and_its_first_session() -> None:
    """The session is a child that lasts until it is ready; all that is known of the end is at the call."""
    story = Story()
    story.tell(0.0, notes.CallStarted("+1", "+2", "g1"))
    story.tell(0.4, notes.SessionReady("sess_1", "gpt-realtime"))
    story.ends(9.0, detail="bye")
    call, connect = story.one("call"), story.one("connect")
    assert story.kept.times(call) == (0.0, 9.0)
    assert story.kept.times(connect) == (0.0, 0.4)
    assert (call.kind, connect.kind) == (SpanKind.SERVER, SpanKind.CLIENT)
    assert parent_of(connect) == id_of(call)
    assert call.attributes == {
        "gateway.line": "support",
        "gateway.generation": "g1",
        "gateway.end.reason": "caller_hung_up",
        "gateway.end.by": "caller",
        "gateway.turns": 1,
        "gateway.detail": "bye",
    }
    assert connect.attributes == {
        "gen_ai.provider.name": "microsoft.foundry",
        "gen_ai.conversation.id": "sess_1",
        "gen_ai.response.model": "gpt-realtime",
    }


@pytest.mark.parametrize(
    ("reason", "by", "is_error"),
    [
        (EndReason.VOICE_LOST, "service", True),
        (EndReason.STREAM_LOST, "provider", True),
        (EndReason.FAULT, "gateway", True),
        (EndReason.TRANSFERRED, "bot", False),
        (EndReason.SILENCE, "caller", False),
    ],
)
def test_the_end_is_the_status(reason: EndReason, by: str, is_error: bool) -> None:
    """An error is what the log has as a warning or an error; a session that never came is one too."""
    story = Story()
    story.ends(1.0, reason, by)
    call = story.one("call")
    assert call.status.status_code is (StatusCode.ERROR if is_error else StatusCode.UNSET)
    assert call.status.description == (f"{reason.value}, by the {by}" if is_error else None)
    assert (call.attributes or {}).get("error.type") == (reason.value if is_error else None)
    assert story.one("connect").status.description == reason.value


def test_a_loss_and_what_came_of_it() -> None:
    """A span from the loss to the next session, or to the end of all tries."""
    story = Story()
    story.tell(1.0, notes.SessionReady("sess_1", "m"))
    story.tell(5.0, notes.SessionLost("lost", "reset"))
    story.tell(6.0, notes.SessionRecovered("lost", 1000, 2, 300, "sess_2", "m", 4))
    story.tell(7.0, notes.SessionRolledOver("sess_3", "m", 4, forced=False))
    story.tell(8.0, notes.SessionLost("mute", "no sound"))
    story.tell(9.5, notes.SessionNotRecovered("mute", 1500, 6, 0, "answered with 503"))
    story.ends(10.0, EndReason.VOICE_LOST, "service")
    first, second = story.kept.named("recover")
    assert [story.kept.times(one) for one in (first, second)] == [(5.0, 6.0), (8.0, 9.5)]
    assert first.attributes == {
        "gen_ai.provider.name": "microsoft.foundry",
        "gateway.session.cause": "lost",
        "gateway.session.tries": 2,
        "gateway.session.covered_ms": 300,
        "gen_ai.conversation.id": "sess_2",
        "gen_ai.response.model": "m",
    }
    assert (second.status.status_code, second.status.description) == (StatusCode.ERROR, "mute")
    assert story.events("call") == ["session_lost", "session_rolled_over", "session_lost"]


def test_tries_are_children_of_the_session_that_they_are_for() -> None:
    """The first session's, those after a loss, and, of the call itself, those before one expires."""
    story = Story()

    def tries(at: float, endpoint: str) -> None:
        story.now = at
        with trying(endpoint, Model("gpt-realtime"), lambda: story.now):
            story.now = at + 0.5

    with story.trace.current():
        tries(0.0, "west")
        story.tell(1.0, notes.SessionReady("sess_1", "m"))
        tries(2.0, "ahead")
        story.tell(5.0, notes.SessionLost("lost", "reset"))
        tries(5.0, "east")
        story.tell(6.0, notes.SessionRecovered("lost", 1000, 1, 0, "sess_2", "m", 4))
    story.ends(10.0)
    parents = {"west": "connect", "ahead": "call", "east": "recover"}
    for endpoint, parent in parents.items():
        tried = story.one(f"open_session {endpoint}")
        assert parent_of(tried) == id_of(story.one(parent))
        assert (tried.attributes or {})["gen_ai.request.model"] == "gpt-realtime"
    assert story.kept.times(story.one("open_session east")) == (5.0, 5.5)


def test_the_way_of_a_reply() -> None:
    """The service's first byte, the first byte sent, and what the caller heard, each at its time."""
    story = Story()
    story.tell(1.0, notes.SessionReady("sess_1", "m"))
    story.tell(2.0, notes.CallerSpoke("c1", over_reply=False))
    story.tell(3.0, notes.CallerPaused("c1"))
    story.tell(3.2, notes.ResponseStarted("resp_1", asked=False))
    story.tell(3.5, notes.ReplyStarted("r1", 500))
    story.tell(3.9, notes.TokensUsed("resp_1", "m-2026", "", 10, 20, 3, 4, 5, 0, 6, 70))
    story.tell(5.0, notes.ReplyHeard("r1", 1400, 1400, "Yes."))
    story.tell(5.0, notes.ReplyPlayed("r1", 20, 90, 3))
    story.tell(6.0, notes.CallerSpoke("c2", over_reply=False))
    story.ends(9.0)
    turn = story.one("turn")
    assert story.kept.times(turn) == (3.0, 5.0)
    found = sorted((event.timestamp / 1e9, event.name) for event in turn.events)
    assert found == [
        (3.5, "reply_started"),
        (3.52, "first_byte_sent"),
        (3.59, "first_heard"),
        (5.0, "reply_heard"),
        (5.0, "reply_played"),
    ]
    assert "Yes." not in str([event.attributes for event in turn.events])
    chat = story.one("chat m")
    assert story.kept.times(chat) == (3.0, 3.9)
    assert parent_of(chat) == id_of(turn)
    assert chat.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "microsoft.foundry",
        "gen_ai.response.id": "resp_1",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-2026",
        "gen_ai.usage.input_tokens": 33,
        "gen_ai.usage.cache_read.input_tokens": 9,
        "gen_ai.usage.output_tokens": 76,
    }
    assert story.events("call") == []


def test_a_reply_of_which_nothing_was_heard_is_over_at_once() -> None:
    """Nothing more is told of it."""
    story = Story()
    story.tell(1.0, notes.ReplyStarted("r1", None))
    story.tell(1.5, notes.BargeIn([notes.CutReply("r1", 0, 100)], response_cancelled=True))
    story.tell(1.5, notes.ReplyHeard("r1", 0, 100))
    story.tell(2.0, notes.CallerPaused("c1"))
    story.tell(2.5, notes.ReplyStarted("r2", 500))
    assert story.kept.times(story.one("turn")) == (1.0, 1.5)
    assert (story.one("turn").attributes or {})["gateway.turn.interrupted"] is True
    story.ends(3.0)


@pytest.mark.parametrize(("status", "is_error"), [("failed", True), ("given_up", True), ("cancelled", False)])
def test_a_response_that_is_cut_short(status: str, is_error: bool) -> None:
    """A failure of the service, but for one that was called off."""
    story = Story()
    story.tell(1.0, notes.CallerPaused("c1"))
    story.tell(1.2, notes.ResponseStarted("resp_1", asked=False))
    story.tell(1.5, notes.ResponseCutShort(status, "why"))
    story.ends(3.0)
    for name in ("turn", "chat"):
        assert (story.one(name).status.status_code is StatusCode.ERROR) is is_error
    assert story.kept.times(story.one("chat")) == (1.0, 1.5)


def test_tools_are_children_of_their_turn() -> None:
    """The gateway's own and those of an MCP server; one that nobody waits for any more has failed."""
    story = Story()
    story.tell(1.0, notes.CallerPaused("c1"))
    for call_id, tool in (("c1", "status"), ("c2", "book"), ("c3", "hangs")):
        story.tell(1.5, notes.ToolCalled(tool, call_id))
    story.tell(1.6, notes.McpCalled("crm", "find", "m1"))
    story.tell(2.0, notes.ToolReturned("status", "c1", "ok", 500))
    story.tell(2.5, notes.ToolReturned("book", "c2", "timeout", 1000))
    story.tell(2.6, notes.McpReturned("crm", "find", "m1", "error", 1000))
    story.tell(2.7, notes.McpReturned("crm", "lists", "", "error", 0))
    story.ends(3.0)
    turn = id_of(story.one("turn"))
    spans = {name: story.one(f"execute_tool {name}") for name in ("status", "book", "hangs", "find")}
    assert all(parent_of(span) == turn for span in spans.values())
    assert {name: span.status.description for name, span in spans.items()} == {
        "status": None,
        "book": "timeout",
        "hangs": "abandoned",
        "find": "error",
    }
    assert story.kept.times(spans["book"]) == (1.5, 2.5)
    assert spans["status"].attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "status",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.type": "function",
        "gateway.tool.outcome": "ok",
    }
    assert (spans["find"].attributes or {})["gateway.mcp.server"] == "crm"


def test_a_tool_runs_in_its_span() -> None:
    """Its request names the span, the operator's code finds it, and its log lines have the id."""
    story = Story()
    with story.trace.current():
        story.tell(1.0, notes.ToolCalled("status", "c1"))
        call_span = get_current_span()
        with story.trace.running("c1") as headers:
            within = get_current_span().get_span_context()
            bound = structlog.contextvars.get_contextvars()["span_id"]
        assert get_current_span() is call_span
    assert get_current_span() is not call_span
    story.tell(2.0, notes.ToolReturned("status", "c1", "ok", 1000))
    story.ends(3.0)
    tool = id_of(story.one("execute_tool status"))
    assert within.span_id == tool
    assert int(bound, 16) == tool
    assert headers["traceparent"].split("-")[1:3] == [story.trace.ids["trace_id"], f"{tool:016x}"]
    assert story.trace.ids["span_id"] == f"{id_of(story.one('call')):016x}"
    with story.trace.running("unknown") as headers:
        assert story.trace.ids["span_id"] in headers["traceparent"]


def test_transfers() -> None:
    """One that failed is an error; another that is under way at the end has succeeded."""
    story = Story()
    story.tell(1.0, notes.TransferStarted("desk"))
    story.tell(2.0, notes.TransferFailed("desk", "the provider refused"))
    story.tell(3.0, notes.TransferStarted("sales"))
    story.tell(4.0, notes.Transferred("sales"))
    story.ends(5.0, EndReason.TRANSFERRED, "bot")
    failed, done = story.kept.named("transfer")
    assert (failed.status.description, done.status.description) == ("the provider refused", None)
    assert [(one.attributes or {})["gateway.transfer.target"] for one in (failed, done)] == ["desk", "sales"]
    assert [story.kept.times(one) for one in (failed, done)] == [(1.0, 2.0), (3.0, 4.0)]


def test_words_and_numbers_only_where_asked_for() -> None:
    """What the caller said is at the turn, numbers are at the call."""
    for privacy in (Privacy(), Privacy(words=True, numbers="full")):
        story = Story(privacy)
        story.tell(0.0, notes.CallStarted("+14155550123", "+14255550100", "g1"))
        story.tell(1.0, notes.CallerPaused("c1"))
        story.tell(1.1, notes.CallerSaid("c1", "Where is it?"))
        story.tell(1.5, notes.ReplyStarted("r1", 500))
        story.tell(2.0, notes.ReplySaid("r1", "On its way to you."))
        story.tell(2.5, notes.ReplyHeard("r1", 500, 900, "On its way", "to you."))
        story.tell(2.6, notes.DigitPressed("7"))
        story.ends(3.0)
        text = "".join(span.to_json() for span in story.kept.spans)
        for private in ("+14155550123", "+14255550100", "Where is it?", "On its way", "to you."):
            assert (private in text) is privacy.words, private


def test_every_kind_of_note_is_taken() -> None:
    """One that is not known here is an event, and fails nothing."""
    story = Story()
    story.tell(1.0, notes.HangUpCancelled(None, "model"))
    story.tell(1.0, notes.ServiceError("rate_limit_exceeded", "slow down"))
    story.tell(1.0, notes.OddMessage("phone", "once"))
    story.ends(2.0)
    assert story.events("call") == ["hang_up_cancelled", "service_error"]
