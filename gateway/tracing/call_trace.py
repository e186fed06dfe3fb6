"""The trace of one call: spans made of its notes, as they come, with the times of the call's clock."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import structlog
from opentelemetry import context as otel
from opentelemetry.context import Context
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.call import notes
from gateway.call.ending import level_of
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.tracing import attributes as names
from gateway.tracing.attributes import Privacy, Value, fields_of
from gateway.tracing.responses import Responses
from gateway.tracing.tries import add_try
from gateway.tracing.turns import Turns
from gateway.voice.endpoints.tries import Tried, listening

_W3C = TraceContextTextMapPropagator()
SILENT = frozenset({notes.UnknownMessage, notes.OddMessage, notes.McpListed})
"""Notes that are no events of a span."""


class CallTrace:
    """The spans of one call; ``observe`` is an observer of its notes. ``now`` is the call's clock.

    ``to_ns`` turns a time of that clock into Unix time in nanoseconds. A call that the sampler leaves out has ids,
    which its tools are told, and no spans.
    """

    def __init__(
        self,
        tracer: Tracer,
        parent: Context,
        privacy: Privacy,
        now: Callable[[], float],
        to_ns: Callable[[float], int],
        attributes: Mapping[str, Value],
    ) -> None:
        self._tracer = tracer
        self._privacy = privacy
        self._now = now
        self._to_ns = to_ns
        self._span = tracer.start_span(
            "call", parent, kind=SpanKind.SERVER, attributes=attributes, start_time=to_ns(now())
        )
        self._context = set_span_in_context(self._span, parent)
        self._is_recorded = self._span.is_recording()
        self._turns = Turns(self._start, to_ns)
        self._opening: Span | None = self._connecting("connect", now()) if self._is_recorded else None
        """The span of the session that is being opened: the first, or the one after a loss."""
        self._responses = Responses(self._response, to_ns)
        self._tools: dict[str, Span] = {}
        self._replies: dict[str, float] = {}
        """The times at which the first audio came of replies that are not over."""
        self._transfer: Span | None = None
        self._model = ""

    @property
    def ids(self) -> Mapping[str, str]:
        """The ids of the trace and of the call's span, as fields of the log."""
        context = self._span.get_span_context()
        return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Add a note of the call to the spans."""
        if not self._is_recorded:
            return
        act = self._ACTS.get(type(note.note))
        if act is not None:
            act(self, note.note, note.at)
        elif type(note.note) not in SILENT:
            self._event(note.note, note.at)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the call's span the current one, and listen to the tries of its sessions."""
        with attached(self._context), listening(self._tried):
            yield

    @contextmanager
    def running(self, tool_call_id: str) -> Iterator[Mapping[str, str]]:
        """Make the span of a tool the current one; yield the headers that pass it on to another service."""
        span = self._tools.get(tool_call_id, self._span)
        context = set_span_in_context(span, self._context)
        headers: dict[str, str] = {}
        _W3C.inject(headers, context)
        span_id = format_span_id(span.get_span_context().span_id)
        with attached(context), structlog.contextvars.bound_contextvars(span_id=span_id):
            yield headers

    # Spans

    def _start(
        self,
        name: str,
        at: float,
        attributes: Mapping[str, Value] | None = None,
        *,
        parent: Span | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        context = self._context if parent is None else set_span_in_context(parent, self._context)
        return self._tracer.start_span(name, context, kind=kind, attributes=attributes, start_time=self._to_ns(at))

    def _end(self, span: Span | None, at: float, error: str = "") -> None:
        if span is None:
            return
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(self._to_ns(at))

    def _event(self, note: Note, at: float, key: str = "", *, of_call: bool = False) -> None:
        """Add a note as an event to its turn; without one, or if it is the whole call's, to the call."""
        shown = fields_of(note, self._privacy)
        if of_call or not self._turns.event(note.event, at, shown, key):
            self._span.add_event(note.event, shown, timestamp=self._to_ns(at))

    # Sessions

    def _connecting(self, name: str, at: float) -> Span:
        return self._start(name, at, {names.GEN_AI_PROVIDER: names.FOUNDRY}, kind=SpanKind.CLIENT)

    def _tried(self, tried: Tried) -> None:
        """Add a try at a session at one endpoint, which is over."""
        if not self._is_recorded:
            return
        parent = self._context if self._opening is None else set_span_in_context(self._opening, self._context)
        add_try(self._tracer, parent, tried, self._privacy, self._to_ns(self._now()))

    def _session(self, session_id: str, model: str, at: float) -> None:
        """End the span of a session that is ready."""
        self._model = model
        if self._opening is not None:
            shown = {names.CONVERSATION: session_id, names.RESPONSE_MODEL: model}
            self._opening.set_attributes({name: value for name, value in shown.items() if value})
        self._end(self._opening, at)
        self._opening = None

    def _call_started(self, note: notes.CallStarted, at: float) -> None:
        numbers = {names.CALLER: note.caller, names.CALLED: note.called}
        shown = {name: self._privacy.number(number) for name, number in numbers.items()}
        self._span.set_attributes({name: value for name, value in shown.items() if value})
        self._span.set_attribute(names.GENERATION, note.generation)

    def _session_ready(self, note: notes.SessionReady, at: float) -> None:
        self._session(note.session_id, note.model, at)

    def _session_lost(self, note: notes.SessionLost, at: float) -> None:
        self._end(self._opening, at, note.cause)
        self._event(note, at, of_call=True)
        self._opening = self._connecting("recover", at)
        self._opening.set_attribute(names.CAUSE, note.cause)

    def _session_recovered(self, note: notes.SessionRecovered, at: float) -> None:
        if self._opening is not None:
            self._opening.set_attributes({names.TRIES: note.tries, names.COVERED: note.covered_ms})
        self._session(note.session_id, note.model, at)

    def _session_not_recovered(self, note: notes.SessionNotRecovered, at: float) -> None:
        if self._opening is not None:
            self._opening.set_attributes({names.TRIES: note.tries, names.COVERED: note.covered_ms})
            self._opening.set_attribute(names.DETAIL, self._privacy.detail(note.detail))
        self._end(self._opening, at, note.cause)
        self._opening = None

    def _session_rolled_over(self, note: notes.SessionRolledOver, at: float) -> None:
        self._event(note, at, of_call=True)
        self._model = note.model

    # Turns

    def _caller_spoke(self, note: notes.CallerSpoke, at: float) -> None:
        if note.over_reply:
            self._event(note, at)

    def _caller_paused(self, note: notes.CallerPaused, at: float) -> None:
        self._turns.paused(at)

    def _caller_said(self, note: notes.CallerSaid, at: float) -> None:
        if self._privacy.words:
            self._turns.describe({"gateway.caller.words": note.text})

    def _response(self, name: str, at: float, attributes: Mapping[str, Value], parent: Span) -> Span:
        return self._start(name, at, attributes, parent=parent, kind=SpanKind.CLIENT)

    def _response_started(self, note: notes.ResponseStarted, at: float) -> None:
        self._responses.begun(self._turns.take(at), self._model, note.response_id, at)

    def _tokens_used(self, note: notes.TokensUsed, at: float) -> None:
        used: dict[str, Value] = {
            names.INPUT_TOKENS: note.input_text + note.input_audio + note.input_image,
            names.CACHED_TOKENS: note.cached_text + note.cached_audio + note.cached_image,
            names.OUTPUT_TOKENS: note.output_text + note.output_audio,
        }
        if note.model:
            used[names.RESPONSE_MODEL] = note.model
        self._responses.describe(note.response_id, used, at)

    def _reply_started(self, note: notes.ReplyStarted, at: float) -> None:
        self._replies[note.item_id] = at
        self._responses.seen(at)
        self._turns.begin(note.item_id, at, note.latency_ms)
        self._event(note, at, note.item_id)

    def _reply_said(self, note: notes.ReplySaid, at: float) -> None:
        self._responses.seen(at)

    def _reply_heard(self, note: notes.ReplyHeard, at: float) -> None:
        self._event(note, at, note.item_id)
        if not note.heard_ms:  # else reply_played follows
            self._reply_over(note.item_id, at)

    def _reply_played(self, note: notes.ReplyPlayed, at: float) -> None:
        began_at = self._replies.get(note.item_id, at)
        for name, after_ms in (("first_byte_sent", note.sent_after_ms), ("first_heard", note.heard_after_ms)):
            moment = min(began_at + after_ms / 1000, at)
            shown: dict[str, Value] = {"item_id": note.item_id}
            self._turns.event(name, moment, shown, note.item_id)
        if note.late_frames:
            self._event(note, at, note.item_id)
        self._reply_over(note.item_id, at)

    def _reply_over(self, item_id: str, at: float) -> None:
        self._replies.pop(item_id, None)
        self._turns.over(item_id, at)

    def _barge_in(self, note: notes.BargeIn, at: float) -> None:
        if not self._turns.interrupted(at, fields_of(note, self._privacy)):
            self._event(note, at, of_call=True)

    def _response_cut_short(self, note: notes.ResponseCutShort, at: float) -> None:
        if note.status == "cancelled":  # by the caller, who speaks, or by the gateway
            self._responses.done(at)
        else:
            self._turns.failed(at, note.status)
            self._responses.done(at, note.status)
        self._event(note, at)

    # Tools and transfers

    def _tool_called(self, note: notes.ToolCalled, at: float) -> None:
        self._responses.seen(at)
        turn = self._turns.begin(note.call_id, at)
        attributes = {
            names.OPERATION: "execute_tool",
            names.TOOL: note.tool,
            names.TOOL_CALL: note.call_id,
            names.TOOL_TYPE: "function",
        }
        self._tools[note.call_id] = self._start(f"execute_tool {note.tool}", at, attributes, parent=turn.span)

    def _tool_returned(self, note: notes.ToolReturned, at: float) -> None:
        self._tool_over(note.call_id, note.outcome, at)

    def _mcp_called(self, note: notes.McpCalled, at: float) -> None:
        turn = self._turns.begin(note.item_id, at)
        attributes = {
            names.OPERATION: "execute_tool",
            names.TOOL: note.tool,
            names.MCP_SERVER: note.server,
            names.TOOL_TYPE: "extension",
        }
        name = f"execute_tool {note.tool}"
        self._tools[note.item_id] = self._start(name, at, attributes, parent=turn.span, kind=SpanKind.CLIENT)

    def _mcp_returned(self, note: notes.McpReturned, at: float) -> None:
        self._tool_over(note.item_id, note.outcome, at)

    def _tool_over(self, key: str, outcome: str, at: float) -> None:
        span = self._tools.pop(key, None)
        if span is not None:
            span.set_attribute(names.OUTCOME, outcome)
            if outcome != "ok":
                span.set_attribute(names.ERROR_TYPE, outcome)
        self._end(span, at, "" if outcome == "ok" else outcome)
        turn = self._turns.over(key, at)
        if turn is not None:
            turn.asked_at = at

    def _transfer_started(self, note: notes.TransferStarted, at: float) -> None:
        self._end(self._transfer, at, "superseded")
        turn = self._turns.current
        parent = turn.span if turn is not None else None
        self._transfer = self._start("transfer", at, {names.TARGET: note.target}, parent=parent, kind=SpanKind.CLIENT)

    def _transferred(self, note: notes.Transferred, at: float) -> None:
        self._transfer_over(at)

    def _transfer_failed(self, note: notes.TransferFailed, at: float) -> None:
        self._transfer_over(at, self._privacy.detail(note.detail))

    def _transfer_over(self, at: float, error: str = "") -> None:
        self._end(self._transfer, at, error)
        self._transfer = None

    # The end

    def _call_ended(self, note: notes.CallEnded, at: float) -> None:
        self._end(self._opening, at, note.reason.value)
        for span in self._tools.values():
            self._end(span, at, "abandoned")
        self._transfer_over(at)
        self._responses.end()
        self._turns.end()
        attributes: dict[str, Value] = {names.REASON: note.reason.value, names.BY: note.by, names.TURNS: note.turns}
        if note.detail:
            attributes[names.DETAIL] = self._privacy.detail(note.detail)
        self._span.set_attributes(attributes)
        is_error = level_of(note.reason) != "info"
        if is_error:
            self._span.set_attribute(names.ERROR_TYPE, note.reason.value)
        self._end(self._span, at, f"{note.reason.value}, by the {note.by}" if is_error else "")
        self._tools.clear()

    _ACTS: ClassVar[Mapping[type[Note], Callable[..., None]]] = {
        notes.CallStarted: _call_started,
        notes.SessionReady: _session_ready,
        notes.SessionLost: _session_lost,
        notes.SessionRecovered: _session_recovered,
        notes.SessionNotRecovered: _session_not_recovered,
        notes.SessionRolledOver: _session_rolled_over,
        notes.CallerSpoke: _caller_spoke,
        notes.CallerPaused: _caller_paused,
        notes.CallerSaid: _caller_said,
        notes.ResponseStarted: _response_started,
        notes.TokensUsed: _tokens_used,
        notes.ReplyStarted: _reply_started,
        notes.ReplySaid: _reply_said,
        notes.ReplyPlayed: _reply_played,
        notes.ReplyHeard: _reply_heard,
        notes.BargeIn: _barge_in,
        notes.ResponseCutShort: _response_cut_short,
        notes.ToolCalled: _tool_called,
        notes.ToolReturned: _tool_returned,
        notes.McpCalled: _mcp_called,
        notes.McpReturned: _mcp_returned,
        notes.TransferStarted: _transfer_started,
        notes.Transferred: _transferred,
        notes.TransferFailed: _transfer_failed,
        notes.CallEnded: _call_ended,
    }


@contextmanager
def attached(context: Context) -> Iterator[None]:
    """Make a context OpenTelemetry's current one."""
    token = otel.attach(context)
    try:
        yield
    finally:
        otel.detach(token)
