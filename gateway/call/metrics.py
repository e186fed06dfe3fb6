"""The Prometheus metrics of a process. Observes every call's record.

Every label value that is known exists from the start, at 0: ``rate`` and ``increase`` see nothing of a series that
appears with its first event.
"""

import importlib.metadata
import platform
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from gateway.call import notes
from gateway.call.ending import CAUSES, ENDED_BY, EndCall
from gateway.call.record import CallIdentity, TimedNote
from gateway.call.refusal import Refusal

disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped

_LATENCY_BUCKETS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_SHORT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
_DURATION_BUCKETS = (5, 15, 30, 60, 120, 300, 600, 1800, 3600)

KNOWN_ERRORS = frozenset(
    {
        "conversation_already_has_active_response",
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_already_truncated",
        "item_truncate_invalid_item_id",
        "invalid_value",
        "rate_limit_exceeded",
        "session_expired",
        "message_creation_failed",
    }
)
"""Codes that are counted by name; a label that a peer could choose would grow without bound."""
OTHER = "other"
"""Stands for every value that is not known."""
TOOL_OUTCOMES = ("ok", "error", "timeout", "refused")


class _Families:
    """Makes metrics on ``registry``; a metric's labels follow its help text."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def counter(self, name: str, told: str, *labels: str) -> Counter:
        """Make a counter."""
        return Counter(name, told, labels, registry=self.registry)

    def gauge(self, name: str, told: str, *labels: str, of_all: Literal["livesum", "livemax"] = "livesum") -> Gauge:
        """Make a gauge; ``of_all`` says how those of all processes that live become one."""
        return Gauge(name, told, labels, multiprocess_mode=of_all, registry=self.registry)

    def histogram(self, name: str, told: str, *labels: str, buckets: Sequence[float] = _LATENCY_BUCKETS) -> Histogram:
        """Make a histogram."""
        return Histogram(name, told, labels, buckets=buckets, registry=self.registry)


class _OfCalls:
    """Metrics of calls: how many there are, how each began and ended, and which were not taken."""

    def __init__(self, make: _Families) -> None:
        self.calls_limit = make.gauge("gateway_calls_limit", "Calls that are taken at once.", of_all="livemax")
        self.saturated = make.gauge(
            "gateway_saturated", "Processes that take no calls because they are busy (limits.calls: auto)."
        )
        self.calls = make.gauge("gateway_calls", "Calls in progress.")
        self.calls_started = make.counter("gateway_calls_started", "Calls begun.", "provider", "line")
        self._calls_refused = make.counter(
            "gateway_calls_refused", "Webhooks, streams and other requests turned away.", "reason"
        )
        self._console_refused = make.counter(
            "gateway_console_refused", "Requests to the console turned away.", "reason"
        )
        self._turned_away = make.counter(
            "gateway_calls_turned_away", "Answers to calls for which there was no room.", "given"
        )
        self.call_ends = make.counter("gateway_call_ends", "Calls ended.", "reason", "by", "line")
        self.call_duration = make.histogram(
            "gateway_call_duration_seconds", "From start message to end.", buckets=_DURATION_BUCKETS
        )
        self.transfers = make.counter("gateway_transfers", "Transfers asked for.", "outcome")
        for refusal in Refusal:
            self._calls_refused.labels(refusal.value)
        for given in ("busy", "say", "transfer", "wait"):
            self._turned_away.labels(given)
        for outcome in ("ok", "failed"):
            self.transfers.labels(outcome)

    def refused(self, reason: Refusal) -> None:
        """Count a webhook or a stream that was turned away."""
        self._calls_refused.labels(reason.value).inc()

    def console_refused(self, reason: str) -> None:
        """Count a request to the console that was turned away; the console's own thread may call it."""
        self._console_refused.labels(reason).inc()

    def turned_away(self, given: str) -> None:
        """Count an answer to a call for which there was no room: ``busy``, ``say``, ``transfer`` or ``wait``."""
        self._turned_away.labels(given).inc()


class _OfSessions:
    """Metrics of sessions with Voice Live: how each began, how it was lost, and what the service objected to."""

    def __init__(self, make: _Families) -> None:
        self.session_setup = make.histogram(
            "gateway_voice_session_setup_seconds", "From the call's start to an accepted session."
        )
        self.sessions_ahead = make.counter(
            "gateway_sessions_ahead",
            "Sessions opened when a webhook announced their call, by what became of them.",
            "outcome",
        )
        self.sessions_lost = make.counter(
            "gateway_sessions_lost",
            "Sessions that were lost while a call went on, by cause and by what came of it.",
            "cause",
            "outcome",
        )
        self.session_recovery = make.histogram(
            "gateway_session_recovery_seconds", "From the loss of a session to the next one that is ready."
        )
        self.silence_covered = make.counter(
            "gateway_silence_covered_seconds",
            "Length of the words and tones that callers heard while there was no session.",
        )
        self.roll_overs = make.counter(
            "gateway_session_roll_overs", "Sessions that took a call over before one expired.", "moment"
        )
        self.service_errors = make.counter("gateway_service_errors", "Error events of Voice Live.", "code")
        self.sessions_reduced = make.counter(
            "gateway_session_reduced",
            "Sessions that were accepted without a member that the service refused.",
            "member",
        )
        self.sessions_differ = make.counter(
            "gateway_session_differs", "Sessions that the service has otherwise than asked for.", "member"
        )
        for cause in CAUSES:
            for outcome in ("recovered", "not_recovered"):
                self.sessions_lost.labels(cause, outcome)
        for moment in ("pause", "forced"):
            self.roll_overs.labels(moment)
        for code in (*KNOWN_ERRORS, OTHER):
            self.service_errors.labels(code)

    def know_members(self, members: Iterable[str]) -> None:
        """Let every series of a session's members exist."""
        for member in members:
            self.sessions_reduced.labels(member)
            self.sessions_differ.labels(member)

    def session_reduced(self, member: str) -> None:
        """Count a session that was accepted without a member."""
        self.sessions_reduced.labels(member).inc()

    def session_differs(self, member: str) -> None:
        """Count a session of which the service has a member otherwise than asked for."""
        self.sessions_differ.labels(member).inc()

    def service_error(self, code: str) -> None:
        """Count an error event of the service."""
        self.service_errors.labels(code if code in KNOWN_ERRORS else OTHER).inc()


class _OfSpeech:
    """Metrics of the conversation: how soon the bot answers, how soon it falls silent, and what went unheard."""

    def __init__(self, make: _Families) -> None:
        self.turn_latency = make.histogram(
            "gateway_turn_latency_seconds",
            "From the service's end of the caller's turn to the first audio of the reply sent to the phone.",
            "line",
        )
        self.barge_in_stop = make.histogram(
            "gateway_barge_in_stop_seconds",
            "From the service's word that the caller speaks to the stop sent to the phone.",
            buckets=_SHORT_BUCKETS,
        )
        self.speech_ignored = make.counter(
            "gateway_speech_ignored", "Speech of callers that did not interrupt the bot.", "reason"
        )
        self.answers_overdue = make.counter(
            "gateway_answers_overdue", "Callers who heard a tone because Voice Live brought nothing of what it owed."
        )
        self.speech_unreported = make.counter(
            "gateway_speech_unreported", "Callers who spoke over the bot without a report of the service."
        )
        self.barge_ins = make.counter("gateway_barge_ins", "Replies that the caller spoke over.")
        self.transcriptions_failed = make.counter(
            "gateway_transcriptions_failed", "Turns of callers that the service could not transcribe."
        )
        for reason in get_args(notes.SpeechIgnored.__annotations__["reason"]):
            self.speech_ignored.labels(reason)


class _OfTools:
    """Metrics of what the model calls; a tool that no line has is counted as ``OTHER``."""

    def __init__(self, make: _Families) -> None:
        self._tools: set[str] = set()
        self.tool_calls = make.counter("gateway_tool_calls", "Tools that ran.", "tool", "outcome")
        self.tool_duration = make.histogram("gateway_tool_duration_seconds", "How long tools took.")
        self.functions_left_running = make.counter(
            "gateway_functions_left_running",
            "Functions in threads that went on when nobody waited for them any more.",
        )
        self._know_tool(OTHER)

    def _know_tool(self, tool: str) -> None:
        self._tools.add(tool)
        for outcome in TOOL_OUTCOMES:
            self.tool_calls.labels(tool, outcome)

    def _tool_returned(self, tool: str, outcome: str, took_ms: int) -> None:
        self.tool_calls.labels(tool if tool in self._tools else OTHER, outcome).inc()
        self.tool_duration.observe(took_ms / 1000)


class _OfPeers:
    """Metrics of providers and of Voice Live as peers: what they sent, returned or refused otherwise than expected."""

    def __init__(self, make: _Families, providers: Iterable[str]) -> None:
        self.marks_lost = make.counter(
            "gateway_marks_lost",
            "Marks that a provider did not return though the audio before them was played.",
            "provider",
        )
        self.messages_odd = make.counter(
            "gateway_messages_odd", "Messages that were unknown, malformed or odd.", "leg", "kind"
        )
        self.call_control_failures = make.counter(
            "gateway_call_control_failures",
            "Requests that the provider's REST API did not carry out.",
            "provider",
        )
        self.keys_unavailable = make.counter(
            "gateway_keys_unavailable", "Published keys that could not be fetched.", "provider"
        )
        self.upgrades_unproven = make.counter(
            "gateway_upgrades_unproven",
            "Streams with a right token whose provider's own signature was not found right.",
            "provider",
        )
        for leg in ("phone", "voice"):
            for kind in ("unknown", "malformed"):
                self.messages_odd.labels(leg, kind)
        self.messages_odd.labels("phone", "odd")
        for provider in providers:
            self.call_control_failures.labels(provider)
            self.keys_unavailable.labels(provider)
            self.upgrades_unproven.labels(provider)
            self.marks_lost.labels(provider)


class _OfProcess:
    """Metrics of the process: its version, how late it is, and what it holds and loses beside its calls."""

    def __init__(self, make: _Families) -> None:
        ProcessCollector(registry=make.registry)
        self.build = make.gauge(
            "gateway_build_info", "The version that runs; always 1.", "version", "python", of_all="livemax"
        )
        self.event_loop_lag = make.histogram(
            "gateway_event_loop_lag_seconds", "How late a timer runs.", buckets=_SHORT_BUCKETS
        )
        self.gc_pause = make.histogram(
            "gateway_gc_pause_seconds",
            "How long collections of garbage stopped the process.",
            "generation",
            buckets=_SHORT_BUCKETS,
        )
        self.frames_late = make.counter(
            "gateway_frames_late", "Frames sent to a phone after their moment by our own lateness."
        )
        self.lines_refused = make.counter("gateway_line_refused", "Changed line files that could not be used.")
        self.connections = make.gauge("gateway_connections", "Open connections that carry no call.")
        self.connections_limit = make.gauge(
            "gateway_connections_limit", "Connections without a call that may be open at once."
        )
        self.log_lines_lost = make.counter("gateway_log_lines_lost", "Log lines that standard error did not take.")
        self.build.labels(importlib.metadata.version("voice-line-gateway"), platform.python_version()).set(1)
        for generation in ("0", "1", "2"):
            self.gc_pause.labels(generation)


class Metrics(_OfProcess, _OfCalls, _OfSessions, _OfSpeech, _OfTools, _OfPeers):
    """The metrics of one process, on a registry of their own; ``providers`` are those that are served.

    Each base makes the metrics of one subject, with the series of them that are known from the start.
    """

    def __init__(self, providers: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self._providers = tuple(providers)
        make = _Families(self.registry)
        _OfProcess.__init__(self, make)
        _OfCalls.__init__(self, make)
        _OfSessions.__init__(self, make)
        _OfSpeech.__init__(self, make)
        _OfTools.__init__(self, make)
        _OfPeers.__init__(self, make, self._providers)

    def know_line(self, line: str, tools: Iterable[str] = ()) -> None:
        """Let every series of a line and of its ``tools`` exist; one that does already keeps its value."""
        for provider in self._providers:
            self.calls_started.labels(provider, line)
        for reason, by in ENDED_BY.items():
            self.call_ends.labels(reason.value, by, line)
        self.turn_latency.labels(line)
        for tool in tools:
            self._know_tool(tool)

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:  # noqa: C901 -- one case a kind of note
        """Count a note of a call's record."""
        match note.note:
            case notes.CallStarted():
                self.calls_started.labels(identity.provider, identity.line).inc()
            case notes.SessionReady():
                self.session_setup.observe(note.at - identity.started_at)
            case notes.SessionRecovered(cause=cause, after_ms=after_ms, covered_ms=covered_ms):
                self.sessions_lost.labels(cause, "recovered").inc()
                self.session_recovery.observe(after_ms / 1000)
                self.silence_covered.inc(covered_ms / 1000)
            case notes.SessionNotRecovered(cause=cause, covered_ms=covered_ms):
                self.sessions_lost.labels(cause, "not_recovered").inc()
                self.silence_covered.inc(covered_ms / 1000)
            case notes.SessionRolledOver(forced=forced):
                self.roll_overs.labels("forced" if forced else "pause").inc()
            case notes.ReplyStarted(latency_ms=int(latency_ms)):
                self.turn_latency.labels(identity.line).observe(latency_ms / 1000)
            case notes.SpeechIgnored(reason=reason):
                self.speech_ignored.labels(reason).inc()
            case notes.AnswerOverdue():
                self.answers_overdue.inc()
            case notes.SpeechUnreported():
                self.speech_unreported.inc()
            case notes.BargeIn():
                self.barge_ins.inc()
            case notes.PlaybackStopped(after_ms=after_ms):
                self.barge_in_stop.observe(after_ms / 1000)
            case notes.ToolReturned(tool=tool, outcome=outcome, took_ms=took_ms):
                self._tool_returned(tool, outcome, took_ms)
            case notes.McpReturned(server=server, outcome=outcome, took_ms=took_ms):
                self._tool_returned(f"mcp:{server}", outcome, took_ms)  # a server may not put its tools into labels
            case notes.Transferred():
                self.transfers.labels("ok").inc()
            case notes.TransferFailed():
                self.transfers.labels("failed").inc()
            case notes.UnknownMessage(leg=leg):
                self.messages_odd.labels(leg, "unknown").inc()
            case notes.MalformedMessage(leg=leg):
                self.messages_odd.labels(leg, "malformed").inc()
            case notes.OddMessage(leg=leg):
                self.messages_odd.labels(leg, "odd").inc()
            case notes.TranscriptionFailed():
                self.transcriptions_failed.inc()
            case notes.ServiceError(code=code):
                self.service_error(code)

    def ended(self, identity: CallIdentity, end: EndCall, at: float, late_frames: int, marks_lost: int = 0) -> None:
        """Count a call that has ended."""
        self.call_ends.labels(end.reason.value, end.by, identity.line).inc()
        self.frames_late.inc(late_frames)
        self.marks_lost.labels(identity.provider).inc(marks_lost)
        self.call_duration.observe(at - identity.started_at)
